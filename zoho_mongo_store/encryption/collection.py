"""The collection of tokens, with its secrets encrypted only on MongoDB's side."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.cursor import Cursor

from zoho_mongo_store.encryption.codec import Codec
from zoho_mongo_store.encryption.key_reads import reading_keys_for
from zoho_mongo_store.model.document import SECRET_FIELDS, Document
from zoho_mongo_store.model.token_documents import DocumentCursor

_ENCODED_FIELDS = {*SECRET_FIELDS, "$or"}


class EncryptedCollection:
    """A pymongo collection whose callers see secrets in plain text. Each method sends one command.

    A value that cannot be encrypted is not sent. There are only the methods below, so no secret
    gets past the encryption.
    """

    def __init__(
        self,
        collection: Collection[Document],
        current_codec: Callable[[Collection[Document]], Codec],
    ) -> None:
        """Wrap a collection.

        Args:
            collection: The collection, in which secrets are encrypted.
            current_codec: Returns the current codec; see ``Encryptor``.
        """
        self._collection = collection
        self._current_codec = current_codec

    def find_one(self, filter: Mapping[str, Any], /) -> Document | None:
        """Find the first document that matches."""
        with reading_keys_for(self._collection):
            codec = self._codec()
            return _decode(codec, self._collection.find_one(codec.encode_filter(filter)))

    def find(self, filter: Mapping[str, Any], /, *, batch_size: int) -> DocumentCursor:
        """Find all documents that match."""
        cursor = self._collection.find(self._encode(filter), batch_size=batch_size)
        return EncryptedCursor(cursor, self)

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
            codec.encode_filter(filter),
            codec.encode_update(update),
            upsert=upsert,
            return_document=return_document,
        )
        return _decode(codec, stored)

    def update_one(self, filter: Mapping[str, Any], update: Mapping[str, Any], /) -> object:
        """Update the first document that matches."""
        codec = self._codec()
        return self._collection.update_one(codec.encode_filter(filter), codec.encode_update(update))

    def update_each(
        self, updates: Iterable[tuple[Mapping[str, Any], Mapping[str, Any], bool]], /
    ) -> None:
        """Send many updates with one unordered ``bulk_write``. If one fails, the others go on.

        Args:
            updates: For each update: a filter, the update and whether to upsert. It updates the
                first document that matches.
        """
        codec = self._codec()
        writes = [
            UpdateOne(codec.encode_filter(filter), codec.encode_update(update), upsert=upsert)
            for filter, update, upsert in updates
        ]
        self._collection.bulk_write(writes, ordered=False)

    def delete_one(self, filter: Mapping[str, Any], /) -> object:
        """Delete the first document that matches."""
        return self._collection.delete_one(self._encode(filter))

    def delete_many(self, filter: Mapping[str, Any], /) -> object:
        """Delete all documents that match."""
        return self._collection.delete_many(self._encode(filter))

    def decode(self, document: Document) -> Document:
        """Decrypt the secrets in a stored document."""
        return self._codec().decode(document)

    def _codec(self) -> Codec:
        return self._current_codec(self._collection)

    def _encode(self, filter: Mapping[str, Any]) -> Mapping[str, Any]:
        """Encode the filter if it needs to be: unreadable documents can be deleted by id."""
        return self._codec().encode_filter(filter) if filter.keys() & _ENCODED_FIELDS else filter


class EncryptedCursor:
    """A cursor over documents with their secrets in plain text."""

    def __init__(self, cursor: Cursor[Document], collection: EncryptedCollection) -> None:
        """Wrap the cursor of a find in ``collection``."""
        self._cursor = cursor
        self._collection = collection

    def __iter__(self) -> DocumentCursor:
        """Return this cursor."""
        return self

    def __next__(self) -> Document:
        """Return the next document."""
        return self._collection.decode(next(self._cursor))

    def sort(self, key: str, direction: int, /) -> DocumentCursor:
        """Sort the documents, as pymongo's cursor does."""
        self._cursor.sort(key, direction)
        return self

    def close(self) -> None:
        """Close the cursor on the server."""
        self._cursor.close()


def _decode(codec: Codec, document: Document | None) -> Document | None:
    return None if document is None else codec.decode(document)
