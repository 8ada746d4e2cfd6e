"""Reads the MySQL table of the SDK's DBStore."""

import contextlib
import importlib.util
from collections.abc import Collection, Iterator
from typing import NamedTuple

from zoho_mongo_store.transfer.columns import Columns
from zoho_mongo_store.transfer.rows import InvalidRow, Row, SourceError
from zoho_mongo_store.transfer.table_rows import TABLE, checked_table_name, columns_of, table_rows

_CONNECT_SECONDS = 10
# The server must wait while the rows read so far are written to MongoDB.
_WRITE_SECONDS = 600


def require_connector() -> None:
    """Check that the extra ``mysql`` is installed, without importing it.

    Raises:
        SourceError: It is not installed.
    """
    if importlib.util.find_spec("mysql") is None:
        raise SourceError("MySQL needs the extra mysql: pip install 'zoho-mongo-store[mysql]'")


class MySqlServer(NamedTuple):
    """Where the SDK's DBStore keeps its table. The defaults are those of DBStore.

    Attributes:
        host: The name or address of the host.
        port: The port.
        user: The MySQL user.
        password: The user's password.
        database: The name of the database.
        table: The name of the table.
    """

    host: str = "localhost"
    port: int = 3306
    user: str = "root"
    password: str = ""
    database: str = "zohooauth"
    table: str = TABLE


class MySqlTable:
    """The table of the SDK's DBStore. Requires the extra ``mysql``."""

    unit = "row"

    def __init__(self, server: MySqlServer, *, ignored_columns: Collection[str] = ()) -> None:
        """Choose the table. Nothing is sent before ``rows`` is called.

        Args:
            server: Where the table is.
            ignored_columns: Names of columns to leave out, even if they contain values.

        Raises:
            SourceError: The table's name contains characters other than letters, digits and
                underscores.
        """
        self._server = server
        checked_table_name(server.table)
        self._ignored = ignored_columns

    def rows(self) -> Iterator[Row | InvalidRow]:
        """Read the rows; see ``Source``. They are streamed in the order of their ids."""
        require_connector()
        import mysql.connector

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
                cursor.execute(f"SET SESSION net_write_timeout = {_WRITE_SECONDS}")
                every = f"SELECT * FROM `{server.table}`"  # nosec B608  # noqa: S608 - the name is checked
                cursor.execute(f"{every} LIMIT 0")
                columns = columns_of(cursor.column_names, self._ignored)
                cursor.fetchall()
                cursor.execute(f"{every} {_order(columns)}")
                yield from table_rows(columns, cursor)
        except mysql.connector.Error as error:
            raise SourceError(
                f"MySQL at {server.host}:{server.port}: {error.msg or type(error).__name__}"
            ) from None


def _order(columns: Columns) -> str:
    """Return a clause that makes two readings give the same order, which MySQL does not promise."""
    known = [str(at) for at, field in enumerate(columns.fields, 1) if field is not None]
    if "id" in columns.fields:
        known = [str(columns.fields.index("id") + 1)]
    return f"ORDER BY {', '.join(known)}"
