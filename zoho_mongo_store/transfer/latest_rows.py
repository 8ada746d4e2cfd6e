"""Decides which of several rows for one login to import, in constant memory."""

import hashlib
import sqlite3
from datetime import datetime
from types import TracebackType
from typing import NamedTuple, Self

from zoho_mongo_store.model.document import Document, expires_in_of
from zoho_mongo_store.transfer.matching import looked_up_fields
from zoho_mongo_store.transfer.rows import Row

# An unknown expiry sorts before any other.
_NO_EXPIRY = -(1 << 62)
_TABLES = """
    CREATE TABLE login (
        login INTEGER PRIMARY KEY, user BLOB, client BLOB, expiry INTEGER, line INTEGER
    );
    CREATE INDEX login_user ON login (user);
    CREATE TABLE credential (digest BLOB, login INTEGER, PRIMARY KEY (digest, login)) WITHOUT ROWID;
    CREATE INDEX credential_login ON credential (login);
    CREATE TABLE row (line INTEGER PRIMARY KEY, digest BLOB, login INTEGER);
    CREATE INDEX row_login ON row (login);
"""
_CLIENT = "(login.client IS NULL OR :client IS NULL OR login.client = :client)"
_BY_USER = f"SELECT login FROM login WHERE user = :user AND {_CLIENT} ORDER BY login"  # noqa: S608  # nosec B608 - no values
_BY_CREDENTIAL = (
    "SELECT login.login FROM credential JOIN login USING (login)"  # noqa: S608  # nosec B608 - no values
    " WHERE credential.digest = :credential"
    f" AND (login.user IS NULL OR :user IS NULL) AND {_CLIENT} ORDER BY login.login"
)
_INSERT = "INSERT INTO login (user, client, expiry, line) VALUES (:user, :client, :expiry, :line)"
_IS_LATER = "(:expiry > expiry OR (:expiry = expiry AND :line > line))"
_IMPROVE = (
    "UPDATE login SET user = coalesce(user, :user), client = coalesce(client, :client),"  # noqa: S608  # nosec B608 - no values
    f" line = CASE WHEN {_IS_LATER} THEN :line ELSE line END, expiry = max(expiry, :expiry)"
    " WHERE login = :login"
)


class _Identity(NamedTuple):
    """What identifies a row, as digests."""

    user: bytes | None
    client: bytes | None
    credentials: list[bytes]


class LatestRows:
    """For each login, the row that expires last; among equals, the last one.

    Rows belong to one login if a save would update the same document with them: if they have the
    same user name, or one has none and they share a credential, and if they do not belong to two
    OAuth clients.

    A temporary SQLite database holds digests and numbers, but no secret.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.executescript(_TABLES)

    def add(self, row: Row) -> None:
        """Add a row. Rows are added in their order."""
        identity = _identity(row.document)
        expiry: datetime | None = row.document.get("expiry_time")
        values: dict[str, object] = {
            "user": identity.user,
            "client": identity.client,
            "expiry": _NO_EXPIRY if expiry is None else int(expires_in_of(expiry)),
            "line": row.line,
        }
        found = self._logins(identity, values)
        if found:
            login = found[0]
            self._database.execute(_IMPROVE, {**values, "login": login})
        else:
            login = self._database.execute(_INSERT, values).lastrowid or 0
        for other in found[1:]:
            self._join(login, other)
        for credential in identity.credentials:
            self._database.execute(
                "INSERT OR IGNORE INTO credential VALUES (?, ?)", (credential, login)
            )
        self._database.execute(
            "INSERT INTO row VALUES (?, ?, ?)", (row.line, _row_digest(row), login)
        )

    def line_for(self, row: Row) -> int:
        """Return the line of the row to import for the login of this row.

        If the row was not added, because the source has changed since, that is its own line.
        """
        found = self._database.execute(
            "SELECT login.line FROM row JOIN login USING (login)"
            " WHERE row.line = ? AND row.digest = ?",
            (row.line, _row_digest(row)),
        ).fetchone()
        return row.line if found is None else int(found[0])

    def _logins(self, identity: _Identity, values: dict[str, object]) -> list[int]:
        """Return the logins that a row belongs to. There are several if the row connects them."""
        found = self._found(_BY_USER, values) if identity.user is not None else []
        for credential in identity.credentials:
            found += self._found(_BY_CREDENTIAL, {**values, "credential": credential})
        # A row without a name belongs to the first of the users who have its credential.
        return list(dict.fromkeys(found)) if identity.user is not None else found[:1]

    def _found(self, query: str, values: dict[str, object]) -> list[int]:
        return [login for (login,) in self._database.execute(query, values)]

    def _join(self, login: int, other: int) -> None:
        """Merge two logins into one, with the later expiry of the two."""
        user, client, expiry, line = self._database.execute(
            "SELECT user, client, expiry, line FROM login WHERE login = ?", (other,)
        ).fetchone()
        self._database.execute(
            "UPDATE OR IGNORE credential SET login = ? WHERE login = ?", (login, other)
        )
        self._database.execute("DELETE FROM credential WHERE login = ?", (other,))
        self._database.execute("UPDATE row SET login = ? WHERE login = ?", (login, other))
        self._database.execute("DELETE FROM login WHERE login = ?", (other,))
        self._database.execute(
            _IMPROVE,
            {"login": login, "user": user, "client": client, "expiry": expiry, "line": line},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()


def _identity(document: Document) -> _Identity:
    name, client = document.get("user_name"), document.get("client_id")
    return _Identity(
        None if name is None else _digest(name),
        None if client is None else _digest(client),
        [_digest(f"{field}\0{document[field]}") for field in looked_up_fields(document)],
    )


def _row_digest(row: Row) -> bytes:
    return _digest(repr(row.document))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:16]
