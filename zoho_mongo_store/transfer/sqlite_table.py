"""Reads the table of Zoho's sample store in an SQLite file."""

import contextlib
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path

from zoho_mongo_store.transfer.rows import InvalidRow, Row, SourceError
from zoho_mongo_store.transfer.table_rows import TABLE, checked_table_name, columns_of, table_rows


class SqliteTable:
    """The table of Zoho's sample store (``custom_store_sqlite.py``)."""

    unit = "row"

    def __init__(
        self, path: Path, table: str = TABLE, *, ignored_columns: Collection[str] = ()
    ) -> None:
        """Choose the table. The file is not opened before ``rows`` is called.

        Args:
            path: The SQLite file.
            table: The table's name.
            ignored_columns: Names of columns to leave out, even if they contain values.

        Raises:
            SourceError: The name contains characters other than letters, digits and underscores.
        """
        self._path = path
        self._table = checked_table_name(table)
        self._ignored = ignored_columns

    def rows(self) -> Iterator[Row | InvalidRow]:
        """Read the rows; see ``Source``. The file is opened read-only."""
        if not self._path.is_file():
            raise SourceError(f"{self._path} cannot be read: no such file")
        try:
            with contextlib.closing(
                sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)
            ) as connection:
                # As text, SQLite's error for invalid UTF-8 would quote the value.
                connection.text_factory = bytes
                cursor = connection.execute(f'SELECT * FROM "{self._table}"')  # nosec B608  # noqa: S608 - the name is checked
                names = [column[0] for column in cursor.description]
                yield from table_rows(columns_of(names, self._ignored), cursor)
        except sqlite3.Error as error:
            raise SourceError(f"{self._path} cannot be read: {error}") from None
