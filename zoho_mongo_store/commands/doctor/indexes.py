"""Checks of ``doctor`` on the indexes."""

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
from zoho_mongo_store.driver.query_plan import is_indexed
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.storage.lease_collection import lease_collection
from zoho_mongo_store.storage.token_indexes import LEASE_INDEXES, TOKEN_INDEXES

_INIT = "run zoho-mongo-store init"


def collection_exists(collection: Collection[Document]) -> Iterator[Finding]:
    """Check that there is a collection of that name: if not, the name may be wrong."""
    with pymongo.timeout(TIMEOUT):
        found = collection.database.list_collection_names(
            filter={"name": collection.name}, authorizedCollections=True
        )
    if found:
        yield Finding("collection", "passed", collection.full_name)
    else:
        advice = f"{_INIT}; if there should be tokens, correct --database or --collection"
        yield Finding("collection", "failed", f"there is no {collection.full_name}", advice)


def present(collection: Collection[Document]) -> Iterator[Finding]:
    """Check that every index exists as the store needs it."""
    leases = lease_collection(collection)
    missing = [*_wrong(collection, TOKEN_INDEXES), *_wrong(leases, LEASE_INDEXES)]
    if missing:
        yield Finding("indexes", "failed", f"missing or different: {', '.join(missing)}", _INIT)
        return
    idle = existing_idle_index(collection)
    if idle is None or idle.expire_after is None:
        detail = "all exist; idle tokens are kept"
    else:
        after = format_duration(timedelta(seconds=idle.expire_after))
        detail = f"all exist; tokens idle for {after} are deleted"
    yield Finding("indexes", "passed", detail)


def used(collection: Collection[Document]) -> Iterator[Finding]:
    """Check that the server looks tokens up with an index, without reading the whole collection."""
    with pymongo.timeout(TIMEOUT):
        scanned = [
            index.field
            for index in TOKEN_INDEXES
            if not is_indexed(collection, index.field, unique=False)
        ]
    if scanned:
        detail = f"the whole collection is read to look up {', '.join(scanned)}"
        yield Finding("indexes used", "failed", detail, _INIT)
    else:
        yield Finding("indexes used", "passed", "every look-up uses an index")


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
