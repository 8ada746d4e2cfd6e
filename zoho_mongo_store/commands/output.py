r"""What commands write: tables, JSON, and lines on standard error, whatever a console can show.

A console that is not UTF-8 (Windows, cron, a slim container) lacks letters of some users' names. In
a table they are escaped as in Python (``\u0410``), in JSON as in JSON.
"""

import codecs
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import IO, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

Cell = str | Text

_PROGRAM = "zoho-mongo-store"


def console(*, stderr: bool = False) -> Console:
    """Open standard output, or standard error. Colours are for a terminal alone."""
    return Console(highlight=False, markup=False, stderr=stderr)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str | None = None
) -> Table:
    """Draw a table that folds long cells and cuts none.

    Args:
        columns: The headings.
        rows: The cells, row by row. Text is shown as it is, without mark-up.
        title: A line above the table. Default: no line.

    Returns:
        The table, for ``console().print``.
    """
    made = Table(box=box.ROUNDED, title=title, title_justify="left", title_style="italic")
    for name in columns:
        made.add_column(name, overflow="fold")
    for row in rows:
        made.add_row(*(Text(printable(cell)) if isinstance(cell, str) else cell for cell in row))
    return made


def print_json(value: Any) -> None:
    """Write one JSON document to standard output, with dates in ISO 8601."""
    is_escaped = not is_unicode(sys.stdout)
    json.dump(value, sys.stdout, ensure_ascii=is_escaped, indent=2, default=_json_value)
    sys.stdout.write("\n")


def print_json_line(value: Mapping[str, Any]) -> None:
    """Write one JSON document on one line, and flush it."""
    is_escaped = not is_unicode(sys.stdout)
    sys.stdout.write(json.dumps(value, ensure_ascii=is_escaped, default=_json_value) + "\n")
    sys.stdout.flush()


def print_error(command: str, text: str) -> None:
    """Write one line to standard error, after the name of the command."""
    _print_line(f"{_PROGRAM} {command}: {text}")


def print_warning(text: str) -> None:
    """Write one line to standard error about something that does not end the command."""
    _print_line(f"{_PROGRAM}: warning: {text}")


def printable(text: str, stream: IO[str] | None = None) -> str:
    """Escape what could move a terminal's cursor or change its colours, and what it cannot show.

    Args:
        text: The text.
        stream: Where it is to be written. Default: standard output.
    """
    visible = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
    if visible.isascii():
        return visible
    encoding = _encoding(stream or sys.stdout)
    return visible.encode(encoding, "backslashreplace").decode(encoding)


def is_unicode(stream: IO[str]) -> bool:
    """Whether a stream can take every letter."""
    return codecs.lookup(_encoding(stream)).name.startswith("utf")


def escape_unencodable() -> None:
    """Let what is written to the standard streams be escaped where it cannot be encoded.

    It would else end the program in the middle.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def format_date(moment: datetime | None) -> str:
    """Format a UTC date to the second; ``None`` is an empty text."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _print_line(text: str) -> None:
    typer.echo(printable(" ".join(text.split()), sys.stderr), err=True)


def _encoding(stream: IO[str]) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def _json_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not for JSON")
