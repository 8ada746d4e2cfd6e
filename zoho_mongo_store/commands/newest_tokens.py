"""Keeps the most recently saved documents, without reading the whole collection each time."""

from datetime import UTC, datetime
from typing import Any

from pymongo import DESCENDING, ReadPreference
from pymongo.collection import Collection

from zoho_mongo_store.model.document import Document

_SAVED_AT = "updated_at"
_NEVER = datetime.min.replace(tzinfo=UTC)


class NewestTokens:
    """The most recently saved documents, newest first.

    MongoDB finds them with the TTL index on ``updated_at``; without one, it reads the whole
    collection. Documents that change afterwards are fetched by ``_id``.
    """

    def __init__(self, collection: Collection[Document], rows: int) -> None:
        """Create it. Nothing is read yet.

        Args:
            collection: The collection of tokens.
            rows: The number of documents to keep.
        """
        # A change that a change stream reports may not have reached every secondary.
        self._collection = collection.with_options(read_preference=ReadPreference.PRIMARY_PREFERRED)
        self._rows = rows
        self._documents: list[Document] | None = None
        self._has_all = False

    def read(self, changed: list[Any] | None) -> list[Document]:
        """Return the documents as they are now.

        Args:
            changed: The ``_id`` of each document that has changed since the last call. ``None``:
                any document may have changed.
        """
        if self._documents is None or changed is None:
            return self._read_all()
        if not changed:
            return self._documents
        kept = [one for one in self._documents if one["_id"] not in changed]
        fetched = list(self._collection.find({"_id": {"$in": changed}}))
        newest = sorted([*kept, *fetched], key=_saved_at, reverse=True)
        if len(newest) < len(self._documents) and not self._has_all:
            # Some have been deleted, and older ones move up.
            return self._read_all()
        self._has_all = self._has_all and len(newest) <= self._rows
        self._documents = newest[: self._rows]
        return self._documents

    def _read_all(self) -> list[Document]:
        found = self._collection.find().sort(_SAVED_AT, DESCENDING).limit(self._rows)
        self._documents = list(found)
        self._has_all = len(self._documents) < self._rows
        return self._documents


def _saved_at(document: Document) -> datetime:
    """Return when a document was saved. Without a date it comes last, as in MongoDB."""
    moment = document.get(_SAVED_AT)
    return moment if isinstance(moment, datetime) else _NEVER
