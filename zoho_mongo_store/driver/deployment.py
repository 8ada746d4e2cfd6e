"""What a client knows about its deployment without asking it."""

from typing import Any, NamedTuple

import pymongo
from pymongo import ReadPreference
from pymongo.collection import Collection
from pymongo.topology_description import TOPOLOGY_TYPE

from zoho_mongo_store.driver import Document

_REPLICA_SETS = (TOPOLOGY_TYPE.ReplicaSetNoPrimary, TOPOLOGY_TYPE.ReplicaSetWithPrimary)


class Members(NamedTuple):
    """What a client knew about its deployment at one moment.

    Attributes:
        description: pymongo's description, which is a new object after each change.
        is_replica_set: Whether the deployment is a replica set, or may turn out to be one.
        has_primary: Whether one of its members is a primary.
        has_secondary: Whether one of its members is a secondary.
    """

    description: Any
    is_replica_set: bool
    has_primary: bool
    has_secondary: bool


_UNKNOWN = Members(None, False, False, False)


class Deployment:
    """Looks at the deployment of a collection's client.

    Attributes:
        has_had_primary: Whether a primary has ever been seen.
    """

    def __init__(self) -> None:
        """Start with nothing known."""
        self._members = _UNKNOWN
        self.has_had_primary = False

    def look(self, collection: Collection[Document]) -> Members:
        """Return what is known now. Nothing is sent."""
        client = collection.database.client
        if not isinstance(client, pymongo.MongoClient):
            return _UNKNOWN
        description = client.topology_description
        known = self._members
        if description is not known.description:
            kind = description.topology_type
            known = Members(
                description,
                kind in _REPLICA_SETS or kind == TOPOLOGY_TYPE.Unknown,
                kind == TOPOLOGY_TYPE.ReplicaSetWithPrimary,
                kind in _REPLICA_SETS and description.has_readable_server(ReadPreference.SECONDARY),
            )
            self._members = known
            self.has_had_primary = self.has_had_primary or known.has_primary
        return known
