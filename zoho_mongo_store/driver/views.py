"""One collection, with reads from different members."""

from typing import Any, NamedTuple

from pymongo import ReadPreference
from pymongo.collection import Collection
from pymongo.read_preferences import PrimaryPreferred

from zoho_mongo_store.driver import Document

_PRIMARY = ReadPreference.PRIMARY.mode
_PRIMARY_PREFERRED = ReadPreference.PRIMARY_PREFERRED.mode
_SECONDARY = ReadPreference.SECONDARY.mode
_NEAREST = ReadPreference.NEAREST.mode


class Views(NamedTuple):
    """A collection with three read preferences.

    Attributes:
        chosen: As the user's URI or client says.
        primary: From the primary only.
        preferred: From the primary, or from a secondary if there is no primary.
        follows_primary: Whether the primary answers a read of ``chosen`` whenever there is one.
        may_ask_primary: Whether a read of ``chosen`` may go to the primary.
    """

    chosen: Collection[Document]
    primary: Collection[Document]
    preferred: Collection[Document]
    follows_primary: bool
    may_ask_primary: bool

    @classmethod
    def of(cls, collection: Collection[Document]) -> "Views":
        """Derive the views from a collection with the read preference that the user chose."""
        chosen = collection.read_preference
        preferred: Any = ReadPreference.PRIMARY_PREFERRED
        if getattr(chosen, "mode", _PRIMARY) == _PRIMARY_PREFERRED:
            preferred = PrimaryPreferred(chosen.tag_sets, chosen.max_staleness)
        return cls(
            chosen=collection,
            primary=collection.with_options(read_preference=ReadPreference.PRIMARY),
            preferred=collection.with_options(read_preference=preferred),
            follows_primary=follows_primary(collection),
            may_ask_primary=may_ask_primary(collection),
        )


def is_of_primary(collection: Collection[Document]) -> bool:
    """Whether its reads go to the primary only."""
    return collection.read_preference.mode == _PRIMARY


def is_of_secondary(collection: Collection[Document]) -> bool:
    """Whether its reads go to secondaries only."""
    return collection.read_preference.mode == _SECONDARY


def follows_primary(collection: Collection[Document]) -> bool:
    """Whether its reads go to the primary whenever there is one."""
    return collection.read_preference.mode in (_PRIMARY, _PRIMARY_PREFERRED)


def may_ask_primary(collection: Collection[Document]) -> bool:
    """Whether its reads may go to the primary."""
    return follows_primary(collection) or collection.read_preference.mode == _NEAREST
