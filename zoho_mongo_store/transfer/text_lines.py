"""Reads the lines of a text file in constant memory, whatever its encoding and line endings."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from zoho_mongo_store.transfer.rows import InvalidRow, SourceError

# MongoDB's limit for a document: no token is longer.
LONGEST_LINE = 16 * 1024 * 1024

_HEAD_BYTES = 4096
_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_REPLACEMENT = "\ufffd"


class Line(NamedTuple):
    """A line of a text file.

    Attributes:
        number: Its number, starting at 1.
        text: The line without its line ending.
        is_ended: Whether it has a line ending. Without one it may have been cut off.
        is_latin1: Whether it is not UTF-8 and was read as Latin-1.
    """

    number: int
    text: str
    is_ended: bool
    is_latin1: bool


def head_of(path: Path) -> bytes:
    """Return the first bytes of a file.

    Raises:
        SourceError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise _unreadable(path, error) from None


def encoding_of(head: bytes) -> str:
    """Detect the encoding of a text by its first bytes: UTF-8, or UTF-16 with or without a mark."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    if head[1:2] == b"\0" and head[:1] != b"\0" and head[3:4] == b"\0":
        return "utf-16-le"
    if head[:1] == b"\0" and head[1:2] != b"\0" and head[2:3] == b"\0":
        return "utf-16-be"
    return "utf-8"


def lines_of(path: Path) -> Iterator[Line | InvalidRow]:
    r"""Read the lines of a text file, except the blank ones.

    Args:
        path: A file in UTF-8, UTF-16 or Latin-1. Its lines end in ``\n``, ``\r``, ``\r\n``, or
            ``\r\r\n``, which the FileStore of SDK 5 and 6 writes on Windows.

    Yields:
        The lines. An ``InvalidRow`` for each that is too long, cannot be decoded or contains NUL.

    Raises:
        SourceError: The file cannot be read.
    """
    encoding = encoding_of(head_of(path))
    is_utf8 = encoding.startswith("utf-8")
    errors = "surrogateescape" if is_utf8 else "replace"
    try:
        with path.open("rb") as file, io.TextIOWrapper(file, encoding, errors, newline="") as text:
            number = 0
            after_return = False
            while line := text.readline(LONGEST_LINE):
                if after_return and line in ("\n", "\r\n"):
                    after_return = False
                    continue
                after_return = line.endswith("\r")
                number += 1
                if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
                    _skip_rest(text)
                    yield InvalidRow(number, "it is longer than the maximum size of a document")
                elif line.strip():
                    yield _line(number, line, is_utf8=is_utf8)
    except OSError as error:
        raise _unreadable(path, error) from None


def _skip_rest(text: io.TextIOWrapper) -> None:
    while (rest := text.readline(LONGEST_LINE)) and not rest.endswith(("\n", "\r")):
        pass


def _line(number: int, line: str, *, is_utf8: bool) -> Line | InvalidRow:
    text = line.rstrip("\r\n")
    if "\0" in text:
        return InvalidRow(number, "it contains NUL characters, as a power failure leaves them")
    if not is_utf8 and _REPLACEMENT in text:
        return InvalidRow(number, "its characters cannot be decoded")
    is_ended = len(text) != len(line)
    if text.isascii() or not _has_surrogate(text):
        return Line(number, text, is_ended, is_latin1=False)
    try:
        # Files in "Latin-1" are usually Windows-1252, which has the same letters.
        decoded = text.encode(errors="surrogateescape").decode("windows-1252")
    except UnicodeError:
        return InvalidRow(number, "its characters are neither UTF-8 nor Latin-1")
    return Line(number, decoded, is_ended, is_latin1=True)


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _unreadable(path: Path, error: OSError) -> SourceError:
    return SourceError(f"{path} cannot be read: {error.strerror}")
