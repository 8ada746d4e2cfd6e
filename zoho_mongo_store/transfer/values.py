"""Reads the values that other stores, spreadsheets and scripts write. Pure functions."""

import math
import re
from decimal import Decimal

# What other programs write instead of no value.
_ABSENT_WORDS = frozenset({"", "null", "none", "\\n"})
_LONGEST_WORD = 4
_SECONDS_DIGITS = 10
_WHOLE_NUMBER = re.compile(r"(\d+)\.0+")
_SPREADSHEET_NUMBER = re.compile(r"\d+([.,]\d+)?E\+?\d+", re.IGNORECASE)


def is_absent(value: object) -> bool:
    """Whether a value means that there is none: ``None``, ``""``, or the word NULL or None."""
    if not isinstance(value, str):
        return value is None
    word = value.strip()
    return len(word) <= _LONGEST_WORD and word.lower() in _ABSENT_WORDS


def to_text(value: object) -> object:
    """Convert a value from a database to a string, as the SDK does (``DBStore.find_token``).

    Args:
        value: A value as the database's driver returns it.

    Returns:
        The string. A value that is neither text nor a whole number is returned unchanged.
    """
    if isinstance(value, bytes | bytearray):
        # Bytes that are not UTF-8 become lone surrogates, which are rejected later.
        return value.decode(errors="surrogateescape").strip()
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return value
    if isinstance(value, int) or (isinstance(value, float | Decimal) and _is_whole(value)):
        return str(int(value))
    return value


def _is_whole(value: float | Decimal) -> bool:
    return math.isfinite(value) and value == round(value) and not is_rounded(value)


def to_milliseconds(expiry: object) -> object:
    """Convert the expiry of an access token to epoch milliseconds.

    Args:
        expiry: Epoch milliseconds or, with ten digits, epoch seconds.

    Returns:
        The expiry in milliseconds, as a string. Anything but a whole number is returned unchanged.
    """
    if isinstance(expiry, int) and not isinstance(expiry, bool):
        expiry = str(expiry)
    if not isinstance(expiry, str):
        return expiry
    if whole := _WHOLE_NUMBER.fullmatch(expiry):
        expiry = whole[1]
    if len(expiry) == _SECONDS_DIGITS and expiry.isdecimal() and expiry.isascii():
        return f"{expiry}000"
    return expiry


ROUNDED = "its expiry_time was rounded by a spreadsheet: import the original file"
"""The reason to reject a row if ``is_rounded`` is true."""


def is_rounded(value: object) -> bool:
    """Whether a spreadsheet has rounded a number, as in ``1.89346E+12``."""
    if not isinstance(value, str | Decimal):
        return False
    return _SPREADSHEET_NUMBER.fullmatch(str(value)) is not None
