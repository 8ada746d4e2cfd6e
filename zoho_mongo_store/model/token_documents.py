"""What the store asks of the collection of tokens: pymongo's own methods, encrypted or not."""

from collections.abc import Mapping
from typing import Any, Protocol

from zoho_mongo_store.model.document import Document


class DocumentCursor(Protocol):
    """Documents one after the other, as pymongo's cursor gives them."""

    def __next__(self) -> Document: ...

    def __iter__(self) -> "DocumentCursor": ...

    def sort(self, key: str, direction: int, /) -> "DocumentCursor":
        """This cursor, with an order."""

    def close(self) -> None:
        """Let the server forget the cursor."""


class TokenDocuments(Protocol):
    """The methods of ``pymongo.collection.Collection`` that tokens are read and written by."""

    def find_one(self, filter: Mapping[str, Any], /) -> Document | None: ...

    def find(self, filter: Mapping[str, Any], /, *, batch_size: int) -> DocumentCursor: ...

    def find_one_and_update(
        self,
        filter: Mapping[str, Any],
        update: Mapping[str, Any],
        /,
        *,
        upsert: bool = False,
        return_document: bool,
    ) -> Document | None: ...

    def update_one(self, filter: Mapping[str, Any], update: Mapping[str, Any], /) -> object: ...

    def delete_one(self, filter: Mapping[str, Any], /) -> object: ...

    def delete_many(self, filter: Mapping[str, Any], /) -> object: ...
