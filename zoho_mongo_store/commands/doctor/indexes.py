"""What ``doctor`` checks of the indexes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pymongo
from pymongo.collection import Collection

from zoho_mongo_store.commands.context import TIMEOUT
from zoho_mongo_store.commands.doctor.findings import Finding
from zoho_mongo_store.commands.durations import format_duration
from zoho_mongo_store.commands.index_setup import existing_idle_index, existing_indexes
from zoho_mongo_store.driver.index import Index
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.storage.token_indexes import LEASE_INDEXES, TOKEN_INDEXES

_INIT = "run zoho-mongo-store init"
_COLLECTION_SCAN = "COLLSCAN"


def present(collection: Collection[Document]) -> Iterator[Finding]:
    """Check that every index exists as the store needs it."""
    leases = collection.database[f"{collection.name}.leases"]
    missing = [*_wrong(collection, TOKEN_INDEXES), *_wrong(leases, LEASE_INDEXES)]
    if missing:
        yield Finding("indexes", "failed", f"missing or different: {', '.join(missing)}", _INIT)
        return
    idle = existing_idle_index(collection)
    if idle is None or idle.expire_after is None:
        detail = "all there; idle tokens are kept"
    else:
        after = format_duration(timedelta(seconds=idle.expire_after))
        detail = f"all there; tokens idle for {after} are removed"
    yield Finding("indexes", "passed", detail)


def used(collection: Collection[Document]) -> Iterator[Finding]:
    """Check that the server looks tokens up by an index, not by reading the whole collection."""
    scanned = []
    for index in TOKEN_INDEXES:
        with pymongo.timeout(TIMEOUT):
            plan = collection.find({index.field: "-"}).explain()["queryPlanner"]["winningPlan"]
        if _COLLECTION_SCAN in _stages(plan):
            scanned.append(index.field)
    if scanned:
        detail = f"the whole collection is read to look up {', '.join(scanned)}"
        yield Finding("indexes used", "failed", detail, _INIT)
    else:
        yield Finding("indexes used", "passed", "every look-up goes by an index")


def _wrong(collection: Collection[Document], wanted: tuple[Index, ...]) -> list[str]:
    found = [
        (dict(index["key"]), _options(index)) for index in existing_indexes(collection).values()
    ]
    return [
        f"{collection.name}.{index.name}"
        for index in wanted
        if ({index.field: 1}, index.options) not in found
    ]


def _options(index: dict[str, Any]) -> dict[str, Any]:
    flags = {name: True for name in ("unique", "sparse") if index.get(name)}
    kept = ("expireAfterSeconds", "partialFilterExpression", "collation")
    return {**flags, **{name: index[name] for name in kept if name in index}}


def _stages(plan: dict[str, Any]) -> Iterator[str]:
    """List the stages of a plan. They are nested, some in lists."""
    if "stage" in plan:
        yield plan["stage"]
    for value in plan.values():
        for nested in value if isinstance(value, list) else [value]:
            if isinstance(nested, dict):
                yield from _stages(nested)
