"""Durations, as a user types them and as a table shows them."""

import re
from datetime import timedelta

import typer

METAVAR = "DURATION"
"""What the help calls a duration."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d{1,9})([smhdw])")


def parse_duration(text: str) -> timedelta:
    """Read ``45s``, ``10m``, ``12h``, ``30d`` or ``2w``.

    Args:
        text: What the user typed.

    Returns:
        The duration.

    Raises:
        typer.BadParameter: The text is none of these: a usage error.
    """
    matched = _DURATION.fullmatch(text)
    if matched:
        try:
            return timedelta(**{_UNITS[matched[2]]: int(matched[1])})
        except OverflowError:
            pass
    raise typer.BadParameter(f"{text!r} is not a duration: write 45s, 10m, 12h, 30d or 2w")


def format_duration(length: timedelta) -> str:
    """Format a duration in one unit, rounded down: ``45 s``, ``3 h``, ``90 d``.

    The unit is the largest of days, hours, minutes and seconds of which there are at least two.
    """
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
