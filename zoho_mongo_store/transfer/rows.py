"""Defines what a source of tokens is, and what its rows are."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import Document


class SourceError(StoreError):
    """Raised if a source cannot be read at all. Its text contains no secret."""


class RowError(StoreError):
    """Raised if one row cannot be imported. Its text contains no value of the row."""


class Row(NamedTuple):
    """A row that contains a token.

    Attributes:
        line: The number of the line or row, from 1.
        document: The document that the token becomes. It has no id if the source has none.
        warning: What the user should check, or ``""``.
    """

    line: int
    document: Document
    warning: str = ""


class InvalidRow(NamedTuple):
    """A row that cannot be imported.

    Attributes:
        line: The number of the line or row, from 1.
        reason: What is wrong with it. It quotes no value.
    """

    line: int
    reason: str


class Source(Protocol):
    """A place from which tokens are imported.

    Attributes:
        unit: What its rows are called in messages: ``"line"`` or ``"row"``.
    """

    unit: str

    def rows(self) -> Iterator[Row | InvalidRow]:
        """Read all rows in order, one at a time. Can be called more than once.

        Raises:
            SourceError: If this is not such a source, or cannot be read.
        """
