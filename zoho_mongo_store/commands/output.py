"""What commands write: tables, JSON, and lines on standard error."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

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
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=_json_value)
    sys.stdout.write("\n")


def print_json_line(value: Mapping[str, Any]) -> None:
    """Write one JSON document on one line, and flush it."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_json_value) + "\n")
    sys.stdout.flush()


def print_error(command: str, text: str) -> None:
    """Write one line to standard error, after the name of the command."""
    typer.echo(f"{_PROGRAM} {command}: {printable(' '.join(text.split()))}", err=True)


def print_warning(text: str) -> None:
    """Write one line to standard error about something that does not end the command."""
    typer.echo(f"{_PROGRAM}: warning: {printable(' '.join(text.split()))}", err=True)


def printable(text: str) -> str:
    """Make visible what could move a terminal's cursor or change its colours."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def format_date(moment: datetime | None) -> str:
    """Format a UTC date to the second; ``None`` is an empty text."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _json_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not for JSON")
