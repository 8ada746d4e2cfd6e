"""The collection of tokens as the store sees it when its secrets are encrypted."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.cursor import Cursor

from zoho_mongo_store.encryption.codec import Codec
from zoho_mongo_store.model.document import SECRET_FIELDS, Document
from zoho_mongo_store.model.token_documents import DocumentCursor

CodecSource = Callable[[], Codec]
"""Gives the codec of the moment."""


class EncryptedCollection:
    """Pymongo's methods, one command each, with secrets in plain on this side alone.

    What cannot be encrypted is not sent. It has no other methods, so nothing goes past it.
    """

    def __init__(self, collection: Collection[Document], codec: CodecSource) -> None:
        self._collection = collection
        self._codec = codec

    def find_one(self, filter: Mapping[str, Any], /) -> Document | None:
        """The first document that matches."""
        codec = self._codec()
        return _decoded(codec, self._collection.find_one(codec.filter(filter)))

    def find(self, filter: Mapping[str, Any], /, *, batch_size: int) -> DocumentCursor:
        """All documents that match."""
        cursor = self._collection.find(self._encoded(filter), batch_size=batch_size)
        return EncryptedCursor(cursor, self._codec)

    def find_one_and_update(
        self,
        filter: Mapping[str, Any],
        update: Mapping[str, Any],
        /,
        *,
        upsert: bool = False,
        return_document: bool,
    ) -> Document | None:
        """Update the first document that matches, and return it."""
        codec = self._codec()
        stored = self._collection.find_one_and_update(
            codec.filter(filter),
            codec.update(update),
            upsert=upsert,
            return_document=return_document,
        )
        return _decoded(codec, stored)

    def update_one(self, filter: Mapping[str, Any], update: Mapping[str, Any], /) -> object:
        """Update the first document that matches."""
        codec = self._codec()
        return self._collection.update_one(codec.filter(filter), codec.update(update))

    def update_each(
        self, updates: Iterable[tuple[Mapping[str, Any], Mapping[str, Any], bool]], /
    ) -> None:
        """For each filter, update and whether to upsert: update the first document that matches.

        In no order, and the others also when one fails: pymongo's ``bulk_write``.
        """
        codec = self._codec()
        writes = [
            UpdateOne(codec.filter(filter), codec.update(update), upsert=upsert)
            for filter, update, upsert in updates
        ]
        self._collection.bulk_write(writes, ordered=False)

    def delete_one(self, filter: Mapping[str, Any], /) -> object:
        """Remove the first document that matches."""
        return self._collection.delete_one(self._encoded(filter))

    def delete_many(self, filter: Mapping[str, Any], /) -> object:
        """Remove all documents that match."""
        return self._collection.delete_many(self._encoded(filter))

    def _encoded(self, filter: Mapping[str, Any]) -> Mapping[str, Any]:
        """``filter``, encoded if there is need: what no key can read any more can be removed."""
        return self._codec().filter(filter) if filter.keys() & set(SECRET_FIELDS) else filter


class EncryptedCursor:
    """A cursor over documents with their secrets in plain."""

    def __init__(self, cursor: Cursor[Document], codec: CodecSource) -> None:
        self._cursor = cursor
        self._codec = codec

    def __iter__(self) -> DocumentCursor:
        return self

    def __next__(self) -> Document:
        return self._codec().decoded(next(self._cursor))

    def sort(self, key: str, direction: int, /) -> DocumentCursor:
        """This cursor, with an order."""
        self._cursor.sort(key, direction)
        return self

    def close(self) -> None:
        """Let the server forget the cursor."""
        self._cursor.close()


def _decoded(codec: Codec, document: Document | None) -> Document | None:
    return None if document is None else codec.decoded(document)
