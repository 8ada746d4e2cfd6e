"""Defines a source of tokens and its rows."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import Document


class SourceError(StoreError):
    """A source cannot be read at all. The message contains no secret."""


class RowError(StoreError):
    """A row cannot be imported. The message contains no value of the row."""


class Row(NamedTuple):
    """A row that contains a token.

    Attributes:
        line: The number of the line or row, starting at 1.
        document: The document for the token. It has no id if the source has none.
        warning: What the user should check, or ``""``.
    """

    line: int
    document: Document
    warning: str = ""


class InvalidRow(NamedTuple):
    """A row that cannot be imported.

    Attributes:
        line: The number of the line or row, starting at 1.
        reason: What is wrong with it, without any value.
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
            SourceError: It is not such a source, or cannot be read.
        """
