"""Keeps the documents that were saved last, without reading the whole collection each time."""

from datetime import UTC, datetime
from typing import Any

from pymongo import DESCENDING, ReadPreference
from pymongo.collection import Collection

from zoho_mongo_store.model.document import Document

_SAVED_AT = "updated_at"
_NEVER = datetime.min.replace(tzinfo=UTC)


class NewestTokens:
    """The documents that were saved last, the newest first.

    MongoDB finds them by the TTL index on ``updated_at``; where there is none, it reads the whole
    collection. What changes afterwards is fetched by its ``_id``.
    """

    def __init__(self, collection: Collection[Document], rows: int) -> None:
        """Read nothing yet.

        Args:
            collection: The collection of tokens.
            rows: How many documents to keep.
        """
        # What a change stream tells of may not have reached every secondary.
        self._collection = collection.with_options(read_preference=ReadPreference.PRIMARY_PREFERRED)
        self._rows = rows
        self._documents: list[Document] | None = None
        self._has_all = False

    def read(self, changed: list[Any] | None) -> list[Document]:
        """Read the documents as they are now.

        Args:
            changed: The ``_id`` of each document that has changed since the last reading. ``None``:
                any may have.
        """
        if self._documents is None or changed is None:
            return self._read_all()
        if not changed:
            return self._documents
        kept = [one for one in self._documents if one["_id"] not in changed]
        fetched = list(self._collection.find({"_id": {"$in": changed}}))
        newest = sorted([*kept, *fetched], key=_saved_at, reverse=True)
        if len(newest) < len(self._documents) and not self._has_all:
            # Some are deleted, and older ones move up.
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
    """Tell when a document was saved; what bears no date comes last, as MongoDB has it."""
    moment = document.get(_SAVED_AT)
    return moment if isinstance(moment, datetime) else _NEVER
