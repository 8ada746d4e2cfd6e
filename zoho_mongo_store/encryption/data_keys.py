"""Decides by the names of data keys which of them to use. Pure functions.

The data key that secrets are encrypted with has the alternative name ``<key name>``. A rotation
adds names that begin with it:

- ``<key name>/next``: published, so that all processes search for values encrypted with it.
- ``<key name>/retired/<its id>``: the former current key. Its values are still searched for.
- ``<key name>/all/<database>.<collection>``: all secrets of that collection are encrypted with this
  key, so retired keys are not searched for there.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from bson.binary import Binary

from zoho_mongo_store.encryption.settings import SEPARATOR
from zoho_mongo_store.errors import StoreError


class DataKeys(NamedTuple):
    """The data keys of one collection, by their ids.

    Attributes:
        current: The key that encrypts secrets.
        searched: All keys that a stored secret may be encrypted with, the current one first.
        next: The key that is about to become current, if any.
        settled: Whether all secrets of the collection are known to be encrypted with the current
            key.
    """

    current: Binary
    searched: tuple[Binary, ...]
    next: Binary | None
    settled: bool


def next_name(key_name: str) -> str:
    """Return the alternative name of the data key that is about to become current."""
    return SEPARATOR.join((key_name, "next"))


def retired_name(key_name: str, key: Binary) -> str:
    """Return the alternative name of a former current data key."""
    return SEPARATOR.join((key_name, "retired", key.hex()))


def settled_name(key_name: str, namespace: str) -> str:
    """Return the alternative name of the key that encrypts all secrets of a collection."""
    return SEPARATOR.join((key_name, "all", namespace))


def named(key_name: str) -> dict[str, Any]:
    """Return the filter for all data keys under ``key_name``."""
    return {"keyAltNames": {"$regex": f"^{re.escape(key_name)}({SEPARATOR}|$)"}}


def data_keys(
    documents: Iterable[Mapping[str, Any]], key_name: str, namespace: str
) -> DataKeys | None:
    """Choose the data keys of a collection.

    Args:
        documents: The documents of the key vault under ``key_name``.
        key_name: The alternative name of the current data key.
        namespace: The collection, as ``database.collection``.

    Returns:
        The data keys; ``None`` if there are no documents.

    Raises:
        StoreError: The key vault lacks a data key or its unique index. Any choice would lose the
            values encrypted with the other data keys.
    """
    keys = {document["_id"]: set(document["keyAltNames"]) for document in documents}
    if not keys:
        return None
    current = [key for key, names in keys.items() if key_name in names]
    next_ = [key for key, names in keys.items() if next_name(key_name) in names]
    if len(current) > 1 or len(next_) > 1:
        raise StoreError(
            f"several data keys have the name {key_name!r}, because the key vault lacks its unique "
            "index: keep the one that documents are encrypted with, then call ensure_indexes()"
        )
    if not current and not next_:
        raise StoreError(
            f"the key vault has no current data key {key_name!r}, only retired ones: restore the "
            "vault from its backup"
        )
    # Between two steps of a rotation there is no current key. The next one takes its place.
    writing = (current or next_)[0]
    settled = len(keys) == 1 or settled_name(key_name, namespace) in keys[writing]
    others = next_ if settled else keys
    return DataKeys(
        current=writing,
        searched=(writing, *(key for key in others if key != writing)),
        next=next_[0] if next_ else None,
        settled=settled,
    )
