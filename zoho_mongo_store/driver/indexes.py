"""The indexes of the collection: what they are, and making a collection have them."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import pymongo
from pymongo import ASCENDING, IndexModel
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, OperationFailure

from zoho_mongo_store.errors import InvalidInputError, StoreError
from zoho_mongo_store.model.document import Document

IDLE_FIELD = "updated_at"
PURGE_FIELD = "purge_at"

# Building an index on a large collection takes longer than an operation may.
_BUILD_SECONDS = 600.0
_INDEX_NOT_FOUND = 27
_OPTIONS_CONFLICT = 85
_KEY_SPECS_CONFLICT = 86
# expireAfterSeconds is a 32-bit number of seconds.
_LONGEST_IDLE = timedelta(seconds=2**31 - 1)


class Index(NamedTuple):
    """An ascending index on one field."""

    field: str
    unique: bool = False
    sparse: bool = False
    expire_after: int | None = None

    @property
    def name(self) -> str:
        """MongoDB's own name for it."""
        return f"{self.field}_1"

    @property
    def options(self) -> dict[str, Any]:
        """What tells two indexes on the same field apart, as ``listIndexes`` shows it."""
        options: dict[str, Any] = {}
        if self.unique:
            options["unique"] = True
        if self.sparse:
            options["sparse"] = True
        if self.expire_after is not None:
            options["expireAfterSeconds"] = self.expire_after
        return options

    def model(self) -> IndexModel:
        """The index as pymongo takes it."""
        return IndexModel([(self.field, ASCENDING)], name=self.name, **self.options)


# Sparse, not partial: the planner takes a partial index only where the filter implies its
# expression, and an equality never implies a $type.
TOKEN_INDEXES = (
    Index("id", unique=True),
    Index("user_name", unique=True, sparse=True),
    Index("access_token", sparse=True),
    Index("refresh_token", sparse=True),
    Index("grant_token", sparse=True),
)
# A lease names the moment from which it is of no use.
LEASE_INDEXES = (Index(PURGE_FIELD, expire_after=0),)


class Changes(NamedTuple):
    """What was done to the indexes of a collection, by their names."""

    created: list[str]
    changed: list[str]
    dropped: list[str]
    unchanged: list[str]

    def with_others(self, others: "Changes", prefix: str) -> "Changes":
        """These and those of another collection, which get ``prefix`` before their names."""
        return Changes(
            *(
                own + [prefix + name for name in names]
                for own, names in zip(self, others, strict=True)
            )
        )


def idle_index(expire_idle_after: timedelta | None) -> Index | None:
    """The TTL index that removes tokens which nobody saved for so long; MongoDB counts seconds."""
    if expire_idle_after is None:
        return None
    if not isinstance(expire_idle_after, timedelta):
        raise InvalidInputError("expire_idle_after has to be a timedelta or None")
    if not timedelta(seconds=1) <= expire_idle_after <= _LONGEST_IDLE:
        raise InvalidInputError("expire_idle_after has to be between one second and 68 years")
    return Index(IDLE_FIELD, expire_after=int(expire_idle_after.total_seconds()))


def ensure_indexes(collection: Collection[Document], idle: Index | None, timeout: float) -> Changes:
    """Make ``collection`` have the token indexes and the TTL index ``idle``, or none if ``None``.

    Idempotent. One command, bounded by ``timeout`` seconds, when nothing has to change; building an
    index may take ten minutes. Raises ``StoreError`` naming the index when
    another one on the same field, or under the same name, is in the way, or when documents that
    exist break its uniqueness.
    """
    wanted = [*TOKEN_INDEXES, *([idle] if idle else [])]
    return _ensure(collection, wanted, timeout, drop_idle=idle is None)


def ensure_lease_indexes(collection: Collection[Document], timeout: float) -> Changes:
    """Make the collection of leases have its TTL index. As ``ensure_indexes``."""
    return _ensure(collection, LEASE_INDEXES, timeout, drop_idle=False)


def _ensure(
    collection: Collection[Document], wanted: Iterable[Index], timeout: float, *, drop_idle: bool
) -> Changes:
    with pymongo.timeout(timeout):
        present = {index["name"]: index for index in collection.list_indexes()}
    standing = {index: _standing(index, present) for index in wanted}
    for index, found in standing.items():
        if found is not None and not _is_fit(index, found):
            raise _conflict(index, found)
    changes = Changes([], [], [], [])
    with pymongo.timeout(_BUILD_SECONDS):
        for index, found in standing.items():
            _make(collection, index, found, changes)
        for name in [name for name, index in present.items() if drop_idle and _is_idle(index)]:
            _drop(collection, name)
            changes.dropped.append(name)
    return changes


def _make(
    collection: Collection[Document],
    index: Index,
    found: Mapping[str, Any] | None,
    changes: Changes,
) -> None:
    """Make ``index`` where ``found`` stands in its place, or nothing does."""
    if found is None:
        _create(collection, index)
        changes.created.append(index.name)
    elif _options(found) == index.options:
        changes.unchanged.append(found["name"])
    else:
        setting = {"name": found["name"], "expireAfterSeconds": index.expire_after}
        collection.database.command("collMod", collection.name, index=setting)
        changes.changed.append(found["name"])


def _drop(collection: Collection[Document], name: str) -> None:
    try:
        collection.drop_index(name)
    except OperationFailure as error:
        if error.code != _INDEX_NOT_FOUND:
            raise


def _create(collection: Collection[Document], index: Index) -> None:
    try:
        collection.create_indexes([index.model()])
    except DuplicateKeyError:
        raise StoreError(
            f"the unique index {index.name} on {collection.full_name} cannot be made: documents "
            f"with the same {index.field} exist; find and remove them first"
        ) from None
    except OperationFailure as error:
        if error.code not in (_OPTIONS_CONFLICT, _KEY_SPECS_CONFLICT):
            raise
        raise StoreError(
            f"the index {index.name} on {collection.full_name} cannot be made: another one on the "
            "same field or of the same name is in the way; drop that one first"
        ) from None


def _standing(index: Index, present: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The index that stands where ``index`` belongs: on the same field, or under the same name."""
    for found in present.values():
        if dict(found["key"]) == {index.field: ASCENDING}:
            return found
    return present.get(index.name)


def _options(found: Mapping[str, Any]) -> dict[str, Any]:
    options = {name: found[name] for name in ("unique", "sparse") if found.get(name)}
    if "expireAfterSeconds" in found:
        options["expireAfterSeconds"] = int(found["expireAfterSeconds"])
    if "partialFilterExpression" in found or "collation" in found:
        options["restricted"] = True
    return options


def _is_fit(index: Index, found: Mapping[str, Any]) -> bool:
    """Whether ``found`` is ``index``, or becomes it by another time to expire after."""
    fit = _options(found) == index.options
    return fit or (index.expire_after is not None and "expireAfterSeconds" in found)


def _is_idle(found: Mapping[str, Any]) -> bool:
    return dict(found["key"]) == {IDLE_FIELD: ASCENDING} and "expireAfterSeconds" in found


def _conflict(index: Index, found: Mapping[str, Any]) -> StoreError:
    wanted = ", ".join(f"{name}={value}" for name, value in index.options.items())
    return StoreError(
        f"the index {found['name']} on {index.field} is in the way: the store needs one with "
        f"{wanted or 'no options'}; drop that one and try again"
    )
