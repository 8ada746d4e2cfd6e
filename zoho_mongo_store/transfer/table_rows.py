"""Reads the rows of a database table, whatever the database."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from zoho_mongo_store.model.document import CREDENTIAL_FIELDS
from zoho_mongo_store.transfer.columns import Columns
from zoho_mongo_store.transfer.rows import InvalidRow, Row, RowError, SourceError
from zoho_mongo_store.transfer.validation import checked_document
from zoho_mongo_store.transfer.values import to_text

TABLE = "oauthtoken"
"""The name of the SDK's table (db_store.py)."""

_NAME = re.compile(r"[A-Za-z0-9_]+")


def checked_table_name(table: str) -> str:
    """Check a table's name, which cannot be a parameter of a statement, and return it.

    Raises:
        SourceError: It contains characters other than letters, digits and underscores.
    """
    if not _NAME.fullmatch(table):
        raise SourceError("a table's name must consist of letters, digits and underscores")
    return table


def columns_of(names: Iterable[str], ignored: Collection[str]) -> Columns:
    """Return the columns of a table.

    Raises:
        SourceError: It is not a table of tokens, or is one of SDK 1.
    """
    columns = Columns(names, ignored)
    found = set(columns.fields)
    if found.isdisjoint(CREDENTIAL_FIELDS):
        raise SourceError(
            "the table is not the SDK's: it has no column refresh_token, access_token or "
            "grant_token"
        )
    if found.isdisjoint({"id", "client_secret"}):
        raise SourceError("the table is one of SDK 1, which has no client secrets to import")
    return columns


def table_rows(columns: Columns, values: Iterable[Sequence[object]]) -> Iterator[Row | InvalidRow]:
    """Read the rows of a table.

    Args:
        columns: The columns of the table.
        values: The rows, as the database's driver returns them.

    Raises:
        SourceError: There is a value in a column that is neither known nor ignored.
    """
    for number, cells in enumerate(values, 1):
        try:
            fields = columns.read([to_text(cell) for cell in cells])
            yield Row(number, checked_document(fields))
        except RowError as error:
            yield InvalidRow(number, str(error))
