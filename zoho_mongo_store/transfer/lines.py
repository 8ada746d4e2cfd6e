"""The lines of a text file, one in memory at a time, whatever is in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from zoho_mongo_store.transfer.rows import InvalidRow, SourceError

# MongoDB's limit for a document: no token is longer.
LONGEST_LINE = 16 * 1024 * 1024

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line without its end; the first has the number 1."""

    number: int
    text: str


def lines_of(path: Path) -> Iterator[Line | InvalidRow]:
    """The lines that are not empty. A line that is no UTF-8, or too long, is damage.

    Raises ``SourceError`` when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                        pass
                    yield InvalidRow(number, "it is longer than a document may be")
                    continue
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                try:
                    text = line.decode().rstrip("\r\n")
                except UnicodeDecodeError:
                    yield InvalidRow(number, "it is not UTF-8")
                    continue
                if text.strip():
                    yield Line(number, text)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
