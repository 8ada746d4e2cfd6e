"""Which of several rows for one user counts, found in constant memory."""

import hashlib
import sqlite3
from datetime import datetime
from types import TracebackType

from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, Document, expires_in_of
from zoho_mongo_store.model.lookup import Filter
from zoho_mongo_store.transfer.rows import Row

# An unknown expiry loses to any other.
_NEVER = -(1 << 62)


class LatestRows:
    """For each user the row that expires last; of several such rows the last.

    Kept in a temporary database of SQLite's, which holds digests and numbers alone.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute(
            "CREATE TABLE winner (user BLOB PRIMARY KEY, expiry INTEGER, line INTEGER)"
            " WITHOUT ROWID"
        )

    def add(self, row: Row) -> None:
        """Take a row into account; rows come in their order."""
        expiry: datetime | None = row.document.get("expiry_time")
        self._database.execute(
            "INSERT INTO winner VALUES (?, ?, ?) ON CONFLICT (user) DO UPDATE SET"
            " expiry = excluded.expiry, line = excluded.line WHERE excluded.expiry >= expiry",
            (_user(row), _NEVER if expiry is None else int(expires_in_of(expiry)), row.line),
        )

    def line_for(self, row: Row) -> int:
        """The line of the row that counts for the user of this one, which was added."""
        found = self._database.execute("SELECT line FROM winner WHERE user = ?", (_user(row),))
        line: int = found.fetchone()[0]
        return line

    def __enter__(self) -> "LatestRows":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()


def identity(document: Document) -> Filter:
    """What tells a user's login from all others: the user's name, or without one the credential."""
    for field in ("user_name", *CREDENTIAL_FIELDS):
        if field in document:
            return {field: document[field]}
    raise ValueError("a document without a credential is no token's")


def _user(row: Row) -> bytes:
    return hashlib.sha256(repr(identity(row.document)).encode()).digest()
