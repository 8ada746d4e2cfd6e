"""Lengths of time, as a user types them and as a table shows them."""

import re
from datetime import timedelta

import typer

METAVAR = "DURATION"
"""What the help calls a length of time."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d{1,9})([smhdw])")


def parse_duration(text: str) -> timedelta:
    """Read ``45s``, ``10m``, ``12h``, ``30d`` or ``2w``.

    Args:
        text: What the user typed.

    Returns:
        The length of time.

    Raises:
        typer.BadParameter: The text is none of these: a usage error.
    """
    matched = _DURATION.fullmatch(text)
    if matched:
        try:
            return timedelta(**{_UNITS[matched[2]]: int(matched[1])})
        except OverflowError:
            pass
    raise typer.BadParameter(f"{text!r} is no length of time: write 45s, 10m, 12h, 30d or 2w")


def format_duration(length: timedelta) -> str:
    """Format a length of time in one unit, rounded down: ``45 s``, ``3 h``, ``90 d``.

    It is the largest of days, hours, minutes and seconds of which there are at least two.
    """
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
