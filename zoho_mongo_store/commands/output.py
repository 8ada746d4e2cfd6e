"""Tables, JSON and colours: how commands show things."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zoho_mongo_store.commands.reporting import printable

JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON in place of a table.")]

Cell = str | Text


def console(*, stderr: bool = False) -> Console:
    """Writes with colours on a terminal alone."""
    return Console(highlight=False, markup=False, stderr=stderr)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str | None = None
) -> Table:
    """A table that folds long cells and cuts none."""
    made = Table(box=box.ROUNDED, title=title, title_justify="left", title_style="italic")
    for name in columns:
        made.add_column(name, overflow="fold")
    for row in rows:
        made.add_row(*(Text(printable(cell)) if isinstance(cell, str) else cell for cell in row))
    return made


def print_json(value: Any) -> None:
    """One JSON document on standard output, dates in ISO 8601."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=_plain)
    sys.stdout.write("\n")


def print_json_line(value: Mapping[str, Any]) -> None:
    """One JSON document on one line, written at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def shown_date(moment: datetime | None) -> str:
    """A date to the second, in UTC."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not for JSON")
