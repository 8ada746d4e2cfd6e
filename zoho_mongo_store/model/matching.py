"""Matches documents with the filters of the find order, without MongoDB. Pure functions."""

from collections.abc import Callable, Mapping
from typing import Any

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda value, operand: value == operand,
    "$ne": lambda value, operand: value != operand,
    "$in": lambda value, operand: value in operand,
    "$nin": lambda value, operand: value not in operand,
    "$exists": lambda value, operand: (value is not None) == bool(operand),
}


def matches(document: Mapping[str, Any], filter: Mapping[str, Any]) -> bool:
    """Whether ``document`` matches ``filter``, as in MongoDB.

    Args:
        document: The fields of a token. Absent fields are left out, never ``None``.
        filter: Equalities, ``$or``, ``$and``, and the operators ``$eq``, ``$ne``, ``$in``, ``$nin``
            and ``$exists``. Any other operator matches nothing.
    """
    return all(_matches_one(document, field, condition) for field, condition in filter.items())


def _matches_one(document: Mapping[str, Any], field: str, condition: Any) -> bool:
    if field == "$or":
        return any(matches(document, one) for one in condition)
    if field == "$and":
        return all(matches(document, one) for one in condition)
    value = document.get(field)
    if not isinstance(condition, Mapping):
        return bool(value == condition)
    return all(
        operator in _OPERATORS and _OPERATORS[operator](value, operand)
        for operator, operand in condition.items()
    )
