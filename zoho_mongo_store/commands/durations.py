"""Lengths of time, as they are typed and as they are shown."""

import re
from datetime import timedelta

import typer

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d{1,9})([smhdw])")

METAVAR = "DURATION"
"""What a length of time is called in a command's help."""


def parse_duration(text: str) -> timedelta:
    """``30d``, ``12h``, ``10m``, ``45s`` or ``2w``; a usage error for anything else."""
    matched = _DURATION.fullmatch(text)
    if matched:
        try:
            return timedelta(**{_UNITS[matched[2]]: int(matched[1])})
        except OverflowError:
            pass
    raise typer.BadParameter(f"{text!r} is no length of time: write 45s, 10m, 12h, 30d or 2w")


def shown_duration(length: timedelta) -> str:
    """The length in its largest whole unit but weeks, rounded down: ``3 h``."""
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
