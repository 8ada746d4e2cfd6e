"""What exists in place of an index, and what to say about it. Pure functions."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from pymongo import ASCENDING

from zoho_mongo_store.driver.index import Index
from zoho_mongo_store.errors import StoreError

Found = Mapping[str, Any]
"""An index as ``listIndexes`` returns it."""

_RESTRICTIONS = ("partialFilterExpression", "collation", "hidden")


class State(Enum):
    """What exists in place of an index."""

    NOTHING = "nothing"
    WANTED = "the index"
    OTHER_TIME = "the index, with a different expiry time"
    OLDER = "the index, as older releases created it"
    CONFLICT = "an index that the store cannot use"


def state_of(
    index: Index, options: Mapping[str, Any], present: Mapping[str, Found]
) -> tuple[Found | None, State]:
    """Find what exists on the field of an index or under its name, and whether it will do.

    Args:
        index: The wanted index.
        options: Its options, as ``listIndexes`` would return them.
        present: The indexes of the collection, by name.
    """
    on_field = [one for one in present.values() if is_on(one, index.field)]
    for found in on_field:
        if _options(found) == options:
            return found, State.WANTED
    for found in on_field:
        if index.expire_after is not None and "expireAfterSeconds" in found:
            return found, State.OTHER_TIME
        if is_older(found, index):
            return found, State.OLDER
    in_the_way = on_field[0] if on_field else present.get(index.name)
    return in_the_way, State.NOTHING if in_the_way is None else State.CONFLICT


def is_on(found: Found, field: str) -> bool:
    """Whether an index is ascending and on this field alone."""
    return dict(found["key"]) == {field: ASCENDING}


def is_older(found: Found, index: Index) -> bool:
    """Whether it is what older releases created instead of ``index``."""
    return (
        index.expire_after is None
        and is_on(found, index.field)
        and _options(found) == index.older_options
    )


def require_no_conflict(states: Iterable[tuple[Index, Found | None, State]]) -> None:
    """Refuse an index that conflicts.

    Raises:
        StoreError: The message names the first such index and the options that it should have.
    """
    for index, found, state in states:
        if found is not None and state is State.CONFLICT:
            wanted = ", ".join(f"{name}={value}" for name, value in index.options.items())
            raise StoreError(
                f"the index {found['name']} on {index.field} conflicts: the store needs one with "
                f"{wanted or 'no options'}; drop the existing one and try again"
            )


def stays(namespace: str, index: Index, found: Found, state: State) -> str:
    """Say that an index is left unchanged, and how to change it.

    Args:
        namespace: The collection that it is on.
        index: The wanted index.
        found: The existing index.
        state: How the two differ.
    """
    named = f"the index {found['name']} on {namespace}"
    if state is State.OTHER_TIME:
        return (
            f"{named} is left unchanged: documents expire {found['expireAfterSeconds']} s after "
            f"{index.field}, but this store is configured for {index.expire_after} s; to change "
            "it, call ensure_indexes() or run zoho-mongo-store init"
        )
    return (
        f"{named} is of an older layout (sparse), which Amazon DocumentDB and clients with the "
        "strict Stable API do not use: to replace it, call ensure_indexes() or run "
        "zoho-mongo-store init"
    )


def _options(found: Found) -> dict[str, Any]:
    options = {name: found[name] for name in ("unique", "sparse") if found.get(name)}
    if "expireAfterSeconds" in found:
        options["expireAfterSeconds"] = int(found["expireAfterSeconds"])
    options.update((name, found[name]) for name in _RESTRICTIONS if name in found)
    return options
