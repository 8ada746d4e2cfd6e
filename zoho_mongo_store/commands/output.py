r"""Writes tables, lines for a pipe, JSON and errors, whatever characters the console can show.

A console without UTF-8 (Windows, cron, a slim container) cannot show all letters of users' names.
In a table they are escaped as in Python (``\u0410``), in JSON as in JSON.
"""

import codecs
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import IO, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = Sequence[str | Text]

_PROGRAM = "zoho-mongo-store"


def console(*, stderr: bool = False) -> Console:
    """Open standard output or standard error, with colours only on a terminal."""
    return Console(highlight=False, markup=False, stderr=stderr)


def print_table(columns: Sequence[str], rows: Iterable[Row], *, title: str | None = None) -> None:
    """Write a table to a terminal, or a line for each row to a pipe.

    Args:
        columns: The headings, which are not written to a pipe.
        rows: The cells, row by row. Text is shown literally, without mark-up.
        title: A line above the table. With a pipe it goes to standard error.
    """
    screen = console()
    if screen.is_terminal:
        screen.print(table(columns, rows, title=title))
    else:
        if title is not None:
            _print_line(title)
        print_lines(rows)


def table(columns: Sequence[str], rows: Iterable[Row], *, title: str | None = None) -> Table:
    """Draw a table for a terminal. Its last column is wrapped where it does not fit.

    Args:
        columns: The headings.
        rows: The cells, row by row.
        title: A line above the table. Default: no line.
    """
    made = Table(box=None, padding=(0, 2, 0, 0), title=title, title_justify="left")
    for name in columns:
        made.add_column(Text(name, style="bold"), overflow="fold", no_wrap=name is not columns[-1])
    for row in rows:
        made.add_row(*(Text(printable(cell)) if isinstance(cell, str) else cell for cell in row))
    return made


def print_lines(rows: Iterable[Row]) -> None:
    """Write each row to standard output as one line, with tabs between its cells, and flush."""
    for row in rows:
        sys.stdout.write("\t".join(printable(str(cell)) for cell in row) + "\n")
    sys.stdout.flush()


def print_json(value: Any) -> None:
    """Write one JSON document to standard output, with dates in ISO 8601; a list item per line."""
    if isinstance(value, list):
        lines = ",\n".join(_json(one) for one in value)
        sys.stdout.write(f"[\n{lines}\n]\n" if value else "[]\n")
    else:
        sys.stdout.write(_json(value, indent=2) + "\n")


def print_json_line(value: Mapping[str, Any]) -> None:
    """Write one JSON document on one line, and flush."""
    sys.stdout.write(_json(value) + "\n")
    sys.stdout.flush()


def print_text(text: str, *, stderr: bool = False, end: str = "\n") -> None:
    """Write a sentence: whole to a pipe, and to a terminal in lines that break between words.

    Args:
        text: The sentence.
        stderr: Whether it goes to standard error.
        end: What is written after it.
    """
    screen = console(stderr=stderr)
    shown = Text(printable(text, screen.file))
    screen.print(shown, end=end, soft_wrap=not screen.is_terminal)


def print_error(command: str, text: str) -> None:
    """Write one line to standard error, beginning with the name of the command."""
    _print_line(f"{_PROGRAM} {command}: {text}")


def print_warning(text: str) -> None:
    """Write one line to standard error about something that does not stop the command."""
    _print_line(f"{_PROGRAM}: warning: {text}")


def printable(text: str, stream: IO[str] | None = None) -> str:
    """Escape characters that control a terminal, and those that it cannot show.

    Args:
        text: The text.
        stream: Where it will be written. Default: standard output.
    """
    if text.isascii() and text.isprintable():
        return text
    visible = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
    if visible.isascii():
        return visible
    encoding = _encoding(stream or sys.stdout)
    return visible.encode(encoding, "backslashreplace").decode(encoding)


def is_unicode(stream: IO[str]) -> bool:
    """Whether a stream can encode every character."""
    return codecs.lookup(_encoding(stream)).name.startswith("utf")


def escape_unencodable() -> None:
    """Escape characters that the standard streams cannot encode.

    Otherwise, such a character would crash the program.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def format_date(moment: datetime | None) -> str:
    """Format a UTC date to the second; ``None`` gives an empty string."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def format_count(number: int, noun: str) -> str:
    """Format how many there are: ``1 token``, ``1,000 tokens``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _print_line(text: str) -> None:
    print_text(" ".join(text.split()), stderr=True)


def _encoding(stream: IO[str]) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def _json(value: Any, indent: int | None = None) -> str:
    is_escaped = not is_unicode(sys.stdout)
    return json.dumps(value, ensure_ascii=is_escaped, indent=indent, default=_json_value)


def _json_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not for JSON")
