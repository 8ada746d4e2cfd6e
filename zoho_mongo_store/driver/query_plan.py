"""Tells from a query plan whether an index exists.

A role that may read a collection may ask for a plan, even if it may not list the indexes.
"""

from collections.abc import Iterator
from typing import Any

from pymongo.collection import Collection

_BY_INDEX = ("IXSCAN", "EXPRESS_IXSCAN")


def is_indexed(collection: Collection[dict[str, Any]], field: str, *, unique: bool) -> bool:
    """Whether the server looks ``field`` up with an index on that field alone.

    Args:
        collection: The collection.
        field: The field.
        unique: Whether the index must be unique.
    """
    plan = collection.find({field: "-"}).explain()["queryPlanner"]["winningPlan"]
    return any(
        stage["keyPattern"] == {field: 1} and (not unique or stage.get("isUnique", True))
        for stage in _stages(plan)
        if stage["stage"] in _BY_INDEX and "keyPattern" in stage
    )


def _stages(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the stages of a plan. They are nested, some in lists."""
    if "stage" in plan:
        yield plan
    for value in plan.values():
        for nested in value if isinstance(value, list) else [value]:
            if isinstance(nested, dict):
                yield from _stages(nested)
