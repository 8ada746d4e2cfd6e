"""The file of the SDK's FileStore: reading it, with 9 or 10 columns, and writing it."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from zoho_mongo_store.model.document import Document, expires_in_of
from zoho_mongo_store.transfer.lines import lines_of
from zoho_mongo_store.transfer.rows import COLUMNS, InvalidRow, Row, SourceError, checked

# file_store.py, FileStore.__init__: it calls the redirect URL another name than the table does.
_HEADER = tuple("redirect_uri" if name == "redirect_url" else name for name in COLUMNS)
# Files from before the API domain was kept.
_COLUMN_COUNTS = (9, 10)


class FileStoreFile:
    """A file that the SDK's FileStore wrote."""

    unit = "line"

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self) -> Iterator[Row | InvalidRow]:
        """See ``Source``. A row is one line: no token holds a line break, and a quotation mark that
        is never closed then damages its own line alone."""
        lines = lines_of(self._path)
        header = next(lines, None)
        names = None if header is None or isinstance(header, InvalidRow) else _cells(header.text)
        if names is None or len(names) not in _COLUMN_COUNTS or names[0] != "id":
            raise SourceError(
                f"{self._path} is not a file of the SDK's FileStore: its first line does not name "
                "9 or 10 columns, the first of them id"
            )
        for line in lines:
            yield line if isinstance(line, InvalidRow) else _row(line.number, line.text, len(names))


def write_filestore(
    documents: Iterable[Document], stream: TextIO, *, renumber: bool = False
) -> None:
    """Write a file that the SDK's FileStore takes up, with ten columns.

    renumber: give ids 1, 2, 3 and so on. FileStore can add no new user to a file with an id that
        is not a number (file_store.py, ``generate_id``).
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


def _row(number: int, text: str, count: int) -> Row | InvalidRow:
    cells = _cells(text)
    if cells is None:
        return InvalidRow(number, "its quotation marks do not match")
    if len(cells) != count:
        return InvalidRow(number, f"it has {len(cells)} columns, not {count}")
    return checked(number, dict(zip(COLUMNS, cells, strict=False)))


def _cells(text: str) -> list[str] | None:
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error:
        return None
