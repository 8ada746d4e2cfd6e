"""Tables of other databases: the SDK's in MySQL, and that of Zoho's sample in SQLite."""

import contextlib
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zoho_mongo_store.transfer.rows import COLUMNS, InvalidRow, Row, SourceError, checked

TABLE = "oauthtoken"

_NAME = re.compile(r"[A-Za-z0-9_]+")
_CONNECT_SECONDS = 10
# A row waits while the rows before it are written to MongoDB.
_PATIENCE_SECONDS = 600


class SqliteTable:
    """The table of Zoho's sample store (``custom_store_sqlite.py``) in an SQLite file."""

    unit = "row"

    def __init__(self, path: Path, table: str = TABLE) -> None:
        self._path = path
        self._table = _checked_name(table)

    def rows(self) -> Iterator[Row | InvalidRow]:
        """See ``Source``. The file is opened for reading alone."""
        if not self._path.is_file():
            raise SourceError(f"{self._path} cannot be read: no such file")
        try:
            with contextlib.closing(
                sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)
            ) as connection:
                cursor = connection.execute(f'SELECT * FROM "{self._table}" ORDER BY rowid')  # nosec B608  # noqa: S608 - the name is checked
                yield from _rows([column[0] for column in cursor.description], cursor)
        except sqlite3.Error as error:
            raise SourceError(f"{self._path} cannot be read: {error}") from None


class MySqlServer(NamedTuple):
    """Where the SDK's DBStore keeps its table; the defaults are those of DBStore."""

    host: str = "localhost"
    port: int = 3306
    user: str = "root"
    password: str = ""
    database: str = "zohooauth"
    table: str = TABLE


class MySqlTable:
    """The table of the SDK's DBStore. Needs the extra ``mysql``."""

    unit = "row"

    def __init__(self, server: MySqlServer) -> None:
        self._server = server
        _checked_name(server.table)

    def rows(self) -> Iterator[Row | InvalidRow]:
        """See ``Source``. Rows come in the order of their ids, streamed."""
        try:
            import mysql.connector
        except ModuleNotFoundError:
            raise SourceError(
                "reading MySQL needs an extra: pip install 'zoho-mongo-store[mysql]'"
            ) from None
        server = self._server
        try:
            with contextlib.closing(
                mysql.connector.connect(
                    host=server.host,
                    port=server.port,
                    user=server.user,
                    password=server.password,
                    database=server.database,
                    connection_timeout=_CONNECT_SECONDS,
                )
            ) as connection:
                cursor = connection.cursor()
                cursor.execute(f"SET SESSION net_write_timeout = {_PATIENCE_SECONDS}")
                cursor.execute(f"SELECT * FROM `{server.table}` ORDER BY id")  # nosec B608  # noqa: S608 - the name is checked
                yield from _rows(cursor.column_names, cursor)
        except mysql.connector.Error as error:
            raise SourceError(
                f"MySQL at {server.host}:{server.port}: {error.msg or type(error).__name__}"
            ) from None


def _rows(names: Sequence[str], cells: Iterable[Sequence[Any]]) -> Iterator[Row | InvalidRow]:
    if "id" not in names or "refresh_token" not in names:
        raise SourceError("the table has no columns id and refresh_token: it is not the SDK's")
    for number, values in enumerate(cells, 1):
        fields = dict(zip(names, values, strict=True))
        yield checked(number, {name: _text(fields.get(name)) for name in COLUMNS})


def _text(value: object) -> object:
    """A cell as the text that the SDK would make of it (``DBStore.set_merge_data``)."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return value.decode(errors="surrogateescape")
    return value


def _checked_name(table: str) -> str:
    if not _NAME.fullmatch(table):
        raise SourceError("a table's name has to consist of letters, digits and underscores")
    return table
