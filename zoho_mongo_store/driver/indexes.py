"""Making a collection have the indexes that are wanted."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pymongo
from pymongo import ASCENDING, IndexModel, MongoClient
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, OperationFailure

from zoho_mongo_store.driver import Document
from zoho_mongo_store.errors import StoreError

# Building an index on a large collection takes longer than an operation may.
_BUILD_SECONDS = 600.0
_INDEX_NOT_FOUND = 27
_OPTIONS_CONFLICT = 85
_KEY_SPECS_CONFLICT = 86


class Index(NamedTuple):
    """An ascending index on one field.

    Attributes:
        field: The field that is indexed.
        unique: Whether no two documents may have the same value.
        sparse: Whether documents without the field are left out.
        expire_after: Seconds after the date in the field at which MongoDB deletes the document (a
            TTL index). ``None``: it deletes nothing.
    """

    field: str
    unique: bool = False
    sparse: bool = False
    expire_after: int | None = None

    @property
    def name(self) -> str:
        """The name that MongoDB gives it by default."""
        return f"{self.field}_1"

    @property
    def options(self) -> dict[str, Any]:
        """Its options as ``listIndexes`` shows them."""
        options: dict[str, Any] = {}
        if self.unique:
            options["unique"] = True
        if self.sparse:
            options["sparse"] = True
        if self.expire_after is not None:
            options["expireAfterSeconds"] = self.expire_after
        return options

    def model(self) -> IndexModel:
        """Convert it for ``create_indexes``."""
        return IndexModel([(self.field, ASCENDING)], name=self.name, **self.options)


class Changes(NamedTuple):
    """What was done to the indexes of a collection.

    Attributes:
        created: Names of the indexes that were built.
        changed: Names of the TTL indexes that got another time.
        dropped: Names of the TTL indexes that were removed.
        unchanged: Names of the indexes that existed as they are wanted.
    """

    created: list[str]
    changed: list[str]
    dropped: list[str]
    unchanged: list[str]

    def with_others(self, others: "Changes", prefix: str) -> "Changes":
        """Add the changes of another collection, with ``prefix`` before each of their names."""
        return Changes(
            *(
                own + [prefix + name for name in names]
                for own, names in zip(self, others, strict=True)
            )
        )


def ensure_indexes(
    collection: Collection[Document],
    wanted: Iterable[Index],
    timeout: float,
    *,
    drop_ttl_on: str | None = None,
) -> Changes:
    """Make ``collection`` have the ``wanted`` indexes. Idempotent.

    When nothing has to change it sends one command. An index that differs only in the time after
    which its documents expire gets the wanted time.

    Args:
        collection: Where to make them.
        wanted: The indexes to make.
        timeout: Seconds for reading the indexes that exist. Building an index may take ten minutes.
        drop_ttl_on: A field whose TTL index is dropped. Default: none is dropped.

    Returns:
        What was done to each index.

    Raises:
        StoreError: Another index on the same field, or of the same name, is in the way, or
            documents break the uniqueness that is wanted. The text names the index.
        PyMongoError: MongoDB could not be reached, or refused.
    """
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
        for name in [name for name, found in present.items() if _is_ttl(found, drop_ttl_on)]:
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


def _build(collection: Collection[Document], index: Index) -> None:
    """Build an index as soon as a majority has; MongoDB's default waits for every member.

    With one member down, that default lets the build hang until it is back.
    """
    if isinstance(collection.database.client, MongoClient):
        try:
            collection.create_indexes([index.model()], commitQuorum="majority")
            return
        except OperationFailure as error:
            # A standalone server refuses the option, and other engines do not know it.
            if "commitQuorum" not in str(error):
                raise
    collection.create_indexes([index.model()])


def _create(collection: Collection[Document], index: Index) -> None:
    try:
        _build(collection, index)
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


def _is_ttl(found: Mapping[str, Any], field: str | None) -> bool:
    return dict(found["key"]) == {field: ASCENDING} and "expireAfterSeconds" in found


def _conflict(index: Index, found: Mapping[str, Any]) -> StoreError:
    wanted = ", ".join(f"{name}={value}" for name, value in index.options.items())
    return StoreError(
        f"the index {found['name']} on {index.field} is in the way: the store needs one with "
        f"{wanted or 'no options'}; drop that one and try again"
    )
