"""Reads and writes the file of the SDK's FileStore."""

import csv
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TextIO

from zoho_mongo_store.model.document import Document, expires_in_of
from zoho_mongo_store.transfer.columns import COLUMNS
from zoho_mongo_store.transfer.csv_lines import (
    Header,
    begins_like_header,
    cells_of,
    fields_of,
    header_of,
    is_blank,
)
from zoho_mongo_store.transfer.foreign_files import foreign_kind, text_of
from zoho_mongo_store.transfer.rows import InvalidRow, Row, RowError, SourceError
from zoho_mongo_store.transfer.text_lines import Line, head_of, lines_of
from zoho_mongo_store.transfer.validation import checked_document, encoding_warning

# file_store.py, FileStore.__init__: the redirect URL has another name than in the table.
_HEADER = tuple("redirect_uri" if name == "redirect_url" else name for name in COLUMNS)
_NAMES = ",".join(_HEADER)
# A line that spreadsheets write above the names, to say what separates the cells.
_SEPARATOR_LINE = "sep="


class FileStoreFile:
    """A file that the SDK's FileStore wrote, even if an editor or spreadsheet has changed it."""

    unit = "line"

    def __init__(self, path: Path, *, ignored_columns: Collection[str] = ()) -> None:
        """Choose the file. It is not opened before ``rows`` is called.

        Args:
            path: The file.
            ignored_columns: Names of columns to leave out, even if they contain values.
        """
        self._path = path
        self._ignored = ignored_columns

    def rows(self) -> Iterator[Row | InvalidRow]:
        """Read the rows; see ``Source``.

        A row is one line, since no token contains a line break. So an unclosed quotation mark
        damages only its own line.
        """
        head = head_of(self._path)
        if kind := foreign_kind(head):
            raise SourceError(f"{self._path} {kind}")
        if text_of(head).startswith(("{", "[")):
            raise SourceError(
                f"{self._path} contains JSON: use import jsonl, with one object per line"
            )
        lines = lines_of(self._path)
        header = self._read_header(lines)
        is_after_damage = False
        for line in lines:
            if isinstance(line, InvalidRow):
                row: Row | InvalidRow | None = line
            elif begins_like_header(line.text) and (other := header_of(line.text, self._ignored)):
                # Two files were concatenated.
                header, row = other, None
            else:
                row = _row(line, header, is_after_damage=is_after_damage)
            is_after_damage = isinstance(row, InvalidRow)
            if row is not None:
                yield row

    def _read_header(self, lines: Iterator[Line | InvalidRow]) -> Header:
        first = next(lines, None)
        if isinstance(first, Line) and first.text.lower().startswith(_SEPARATOR_LINE):
            first = next(lines, None)
        if not isinstance(first, Line):
            raise SourceError(
                f"{self._path} is not a file of the SDK's FileStore: its first line does not name "
                "the columns"
            )
        header = header_of(first.text, self._ignored)
        if header is None:
            raise SourceError(f"{self._path} {_without_header(first.text)}")
        if not {"id", "client_secret"} & set(header.columns.fields):
            raise SourceError(
                f"{self._path} is a file of SDK 1, which has no client secrets to import"
            )
        return header


def write_filestore(
    documents: Iterable[Document], stream: TextIO, *, renumber: bool = False
) -> None:
    """Write a file for the SDK's FileStore, with ten columns.

    Args:
        documents: The documents to write.
        stream: Where to write, opened with ``newline=""``.
        renumber: Whether to replace the ids with 1, 2, 3 and so on. FileStore cannot add a user to
            a file with an id that is not a number (file_store.py, ``generate_id``).
    """
    writer = csv.writer(stream)
    writer.writerow(_HEADER)
    for number, document in enumerate(documents, 1):
        cells = dict(document)
        if renumber:
            cells["id"] = str(number)
        if "expiry_time" in cells:
            cells["expiry_time"] = expires_in_of(cells["expiry_time"])
        writer.writerow([cells.get(column, "") for column in COLUMNS])


def _row(line: Line, header: Header, *, is_after_damage: bool) -> Row | InvalidRow | None:
    may_be_cut = is_after_damage or not line.is_ended
    try:
        cells = cells_of(line.text, header.delimiter)
        if is_blank(cells):
            return None
        document = checked_document(fields_of(cells, header, may_be_cut=may_be_cut))
        warning = encoding_warning(line, document)
        if not line.is_ended:
            warning = warning or "it has no line end: check whether its last value is complete"
        return Row(line.number, document, warning)
    except RowError as error:
        return InvalidRow(line.number, str(error))


def _without_header(first_line: str) -> str:
    """Say what a file is whose first line does not name the columns."""
    for delimiter in (",", ";", "\t"):
        if len(first_line.split(delimiter)) in (len(COLUMNS) - 1, len(COLUMNS)):
            return f"has no line that names the columns: insert one at the top, such as {_NAMES}"
    return "is not a file of the SDK's FileStore: its first line does not name the columns"
