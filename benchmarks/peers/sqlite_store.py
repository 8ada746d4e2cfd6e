"""A store on SQLite, which works as the sample that Zoho publishes for stores of one's own."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.rows import Row
from zoho_mongo_store.sdk import OAuthToken, SDKException, TokenStore, UserSignature
from zoho_mongo_store.transfer.columns import COLUMNS

_TABLE = f"create table oauthtoken ({', '.join(COLUMNS)}, primary key (id))"
_INSERT = f"insert into oauthtoken values ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
_SIMPLE = [name for name in COLUMNS if name not in ("user_name", "expiry_time")]


class SQLiteStore(TokenStore):
    """One connection for each call, and no index but that of the key.

    Args:
        path: The file, made if missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            with closing(sqlite3.connect(path)) as connection:
                connection.execute(_TABLE)

    def load(self, rows: Iterable[Row]) -> None:
        """Insert rows, in one transaction."""
        with closing(sqlite3.connect(self._path)) as connection, connection:
            connection.executemany(_INSERT, ([row[name] for name in COLUMNS] for row in rows))

    def find_token(self, token: OAuthToken) -> OAuthToken | None:
        """Fill ``token`` from the first row that matches, as the SDK's own stores do."""
        column, value = _criterion(token)
        row = self._first(column, value)
        if row is None:
            return None
        _fill(token, row)
        return token

    def find_token_by_id(self, id: str) -> OAuthToken | None:
        """A new token; raises when there is none."""
        row = self._first("id", id)
        if row is None:
            raise SDKException("TOKEN_STORE", "no token with this id")
        token = OAuthToken(id=id)
        _fill(token, row)
        return token

    def save_token(self, token: OAuthToken) -> None:
        """Update the rows that match, or insert one."""
        column, value = _criterion(token)
        signature = token.get_user_signature()
        cells: dict[str, str | None] = {name: getattr(token, f"get_{name}")() for name in _SIMPLE}
        cells["user_name"] = signature.get_name() if signature is not None else None
        cells["expiry_time"] = token.get_expires_in()
        known = {name: cell for name, cell in cells.items() if cell is not None and name != "id"}
        changes = ", ".join(f"{name}=?" for name in known)
        update = f"update oauthtoken set {changes} where {column}=?"  # noqa: S608 - own names
        with closing(sqlite3.connect(self._path)) as connection, connection:
            if connection.execute(update, [*known.values(), value]).rowcount > 0:
                return
            if token.get_id() is None:
                greatest = "select max(cast(id as integer)) from oauthtoken"
                (last,) = connection.execute(greatest).fetchone()
                token.set_id(str((last or 0) + 1))
            cells["id"] = token.get_id()
            connection.execute(_INSERT, [cells[name] for name in COLUMNS])

    def get_tokens(self) -> list[OAuthToken]:
        """All of them."""
        tokens = []
        with closing(sqlite3.connect(self._path)) as connection:
            for row in connection.execute("select * from oauthtoken"):
                token = OAuthToken(id=row[0])
                _fill(token, row)
                tokens.append(token)
        return tokens

    def delete_token(self, id: str) -> None:
        """The one with this id."""
        with closing(sqlite3.connect(self._path)) as connection, connection:
            connection.execute("delete from oauthtoken where id=?", [id])

    def delete_tokens(self) -> None:
        """All of them."""
        with closing(sqlite3.connect(self._path)) as connection, connection:
            connection.execute("delete from oauthtoken")

    def _first(self, column: str, value: str | None) -> Sequence[str | None] | None:
        query = f"select * from oauthtoken where {column}=? limit 1"  # noqa: S608 - own names
        with closing(sqlite3.connect(self._path)) as connection:
            row: Sequence[str | None] | None = connection.execute(query, [value]).fetchone()
        return row


def _criterion(token: OAuthToken) -> tuple[str, str | None]:
    """The column to look a token up by, and what has to stand there."""
    signature = token.get_user_signature()
    if signature is not None:
        return "user_name", signature.get_name()
    if token.get_grant_token():
        return "grant_token", token.get_grant_token()
    return "refresh_token", token.get_refresh_token()


def _fill(token: OAuthToken, row: Sequence[str | None]) -> None:
    cells = dict(zip(COLUMNS, row, strict=True))
    for name in _SIMPLE:
        if getattr(token, f"get_{name}")() is None:
            getattr(token, f"set_{name}")(cells[name])
    user_name = cells["user_name"]
    if token.get_user_signature() is None and user_name is not None:
        token.set_user_signature(UserSignature(user_name))
    if token.get_expires_in() is None:
        token.set_expires_in(cells["expiry_time"])
