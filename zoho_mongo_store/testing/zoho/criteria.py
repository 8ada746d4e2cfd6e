"""Search criteria such as ``((Last_Name:equals:Byron)and(Email:starts_with:ada))``. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Criteria = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(r"\s*(\(|\)|(?:and|or)(?=\s*\()|(?:\\.|[^()\\])+)", re.IGNORECASE)
_CONDITION = re.compile(r"(\w+):(\w+):(.*)", re.DOTALL)
_COMPARISONS: dict[str, Callable[[Any, list[Any]], bool]] = {
    "equals": lambda value, wanted: value == wanted[0],
    "not_equal": lambda value, wanted: value != wanted[0],
    "starts_with": lambda value, wanted: str(value).startswith(str(wanted[0])),
    "in": lambda value, wanted: value in wanted,
    "greater_than": lambda value, wanted: value > wanted[0],
    "greater_equal": lambda value, wanted: value >= wanted[0],
    "less_than": lambda value, wanted: value < wanted[0],
    "less_equal": lambda value, wanted: value <= wanted[0],
    "between": lambda value, wanted: wanted[0] <= value <= wanted[1],
}
_LISTS = {"in": None, "between": 2}


def parse(text: str) -> Criteria:
    """Parse criteria. ``and`` and ``or`` are applied from left to right.

    Raises:
        ValueError: Zoho does not accept them.
    """
    tokens = [match[1] for match in _TOKEN.finditer(text)]
    if "".join(tokens) != re.sub(r"\s*([()])\s*", r"\1", text.strip()) or not tokens:
        raise ValueError(f"criteria cannot be parsed: {text}")
    criteria = _series(tokens)
    if tokens:
        raise ValueError(f"criteria continue after their end: {text}")
    return criteria


def _series(tokens: list[str]) -> Criteria:
    """Parse groups, with ``and`` or ``or`` between them."""
    criteria = _group(tokens)
    while tokens and tokens[0].lower() in ("and", "or"):
        both = tokens.pop(0).lower() == "and"
        criteria = _join(criteria, _group(tokens), both)
    return criteria


def _join(first: Criteria, second: Criteria, both: bool) -> Criteria:
    if both:
        return lambda record: first(record) and second(record)
    return lambda record: first(record) or second(record)


def _group(tokens: list[str]) -> Criteria:
    """Parse one condition, or a series, in parentheses."""
    _take(tokens, "(")
    criteria = _series(tokens) if tokens[:1] == ["("] else _condition(_take(tokens))
    _take(tokens, ")")
    return criteria


def _condition(text: str) -> Criteria:
    match = _CONDITION.fullmatch(text.strip())
    if match is None or match[2] not in _COMPARISONS:
        raise ValueError(f"not a condition: {text}")
    field, operator, value = match[1], match[2], re.sub(r"\\(.)", r"\1", match[3])
    compare = _COMPARISONS[operator]
    wanted = value.split(",") if operator in _LISTS else [value]
    if _LISTS.get(operator) not in (None, len(wanted)):
        raise ValueError(f"between takes two values: {text}")

    def holds(record: Mapping[str, Any]) -> bool:
        stored = record.get(field)
        if stored is None:
            return operator == "not_equal"
        try:
            return compare(_comparable(stored), [_like(stored, each) for each in wanted])
        except ValueError:
            return False

    return holds


def _comparable(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _like(stored: Any, text: str) -> Any:
    """Convert a value in the criteria to the type of the stored value."""
    text = text.strip().lower()
    if isinstance(stored, bool):
        return text == "true"
    return float(text) if isinstance(stored, int | float) else text


def _take(tokens: list[str], expected: str | None = None) -> str:
    if not tokens or (expected is not None and tokens[0] != expected):
        raise ValueError(f"criteria need {expected or 'a condition'} here: {' '.join(tokens)}")
    return tokens.pop(0)
