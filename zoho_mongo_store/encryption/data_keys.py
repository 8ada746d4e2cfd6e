"""Which data keys there are for a collection, read from the names that they bear. Pure functions.

The data key that secrets are encrypted with bears the alternative name ``<key name>``. Moving to a
new one adds names behind it:

``<key name>/next``: published, so that everybody looks for what is encrypted with it.
``<key name>/retired/<its id>``: was the one before; what it encrypted is still looked for.
``<key name>/all/<database>.<collection>``: all secrets of that collection are encrypted with it, so
    that those retired before it need not be looked for there.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from bson.binary import Binary

from zoho_mongo_store.encryption.settings import SEPARATOR
from zoho_mongo_store.errors import StoreError


class DataKeys(NamedTuple):
    """The data keys of one collection, by their ids."""

    current: Binary
    """What secrets are encrypted with."""
    searched: tuple[Binary, ...]
    """What a stored secret may be encrypted with; the current one first."""
    next: Binary | None
    """The one that is about to become current."""
    settled: bool
    """Whether all secrets of the collection are known to be encrypted with the current one."""


def next_name(key_name: str) -> str:
    """The alternative name of the data key that is about to become current."""
    return SEPARATOR.join((key_name, "next"))


def retired_name(key_name: str, key: Binary) -> str:
    """The alternative name of a data key that was current."""
    return SEPARATOR.join((key_name, "retired", key.hex()))


def settled_name(key_name: str, namespace: str) -> str:
    """The alternative name of the data key that all secrets of a collection are encrypted with."""
    return SEPARATOR.join((key_name, "all", namespace))


def named(key_name: str) -> dict[str, Any]:
    """The filter for all data keys under ``key_name``."""
    return {"keyAltNames": {"$regex": f"^{re.escape(key_name)}({SEPARATOR}|$)"}}


def data_keys(
    documents: Iterable[Mapping[str, Any]], key_name: str, namespace: str
) -> DataKeys | None:
    """The data keys among the ``documents`` of a key vault; ``None`` if there are none.

    Raises ``StoreError`` for a vault out of which something was removed, or without its unique
    index: to choose a data key there would lose what the others encrypted.
    """
    keys = {document["_id"]: set(document["keyAltNames"]) for document in documents}
    if not keys:
        return None
    current = [key for key, names in keys.items() if key_name in names]
    next_ = [key for key, names in keys.items() if next_name(key_name) in names]
    if len(current) > 1 or len(next_) > 1:
        raise StoreError(
            f"several data keys bear the name {key_name!r}: the key vault lacks its unique index. "
            "Keep the one that documents are encrypted with, then call ensure_indexes"
        )
    if not current and not next_:
        raise StoreError(
            f"the key vault holds no current data key {key_name!r}, only retired ones: restore it "
            "from its backup"
        )
    # Between two steps of a rotation there is no current one: the next is.
    writing = (current or next_)[0]
    settled = len(keys) == 1 or settled_name(key_name, namespace) in keys[writing]
    others = next_ if settled else keys
    return DataKeys(
        current=writing,
        searched=(writing, *(key for key in others if key != writing)),
        next=next_[0] if next_ else None,
        settled=settled,
    )
