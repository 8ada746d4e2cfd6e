"""The interface of the token collection: pymongo's own methods, with or without encryption."""

from collections.abc import Mapping
from typing import Any, Protocol

from zoho_mongo_store.model.document import Document


class DocumentCursor(Protocol):
    """The methods of ``pymongo.cursor.Cursor`` that the store uses."""

    def __next__(self) -> Document:
        """Return the next document."""

    def __iter__(self) -> "DocumentCursor":
        """Return the cursor itself."""

    def sort(self, key: str, direction: int, /) -> "DocumentCursor":
        """Sort by ``key``: 1 for ascending, -1 for descending."""

    def close(self) -> None:
        """Close the cursor on the server."""


class TokenDocuments(Protocol):
    """The methods of ``pymongo.collection.Collection`` that the store uses for tokens."""

    def find_one(self, filter: Mapping[str, Any], /) -> Document | None:
        """Return the first document that matches."""

    def find(self, filter: Mapping[str, Any], /, *, batch_size: int) -> DocumentCursor:
        """Return all documents that match."""

    def find_one_and_update(
        self,
        filter: Mapping[str, Any],
        update: Mapping[str, Any],
        /,
        *,
        upsert: bool = False,
        return_document: bool,
    ) -> Document | None:
        """Update the first document that matches, and return it as it was before or after."""

    def update_one(self, filter: Mapping[str, Any], update: Mapping[str, Any], /) -> object:
        """Update the first document that matches."""

    def delete_one(self, filter: Mapping[str, Any], /) -> object:
        """Delete the first document that matches."""

    def delete_many(self, filter: Mapping[str, Any], /) -> object:
        """Delete all documents that match."""
