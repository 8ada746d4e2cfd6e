"""The key vault: the collection of data keys, its unique index, and what changes in it."""

from contextlib import suppress
from typing import Any

from bson.binary import Binary, UuidRepresentation
from bson.codec_options import CodecOptions
from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern

from zoho_mongo_store.driver.indexes import Changes
from zoho_mongo_store.encryption.data_keys import (
    DataKeys,
    data_keys,
    named,
    next_name,
    retired_name,
    settled_name,
)

INDEX_NAME = "keyAltNames_1"
# MongoDB's own: https://www.mongodb.com/docs/manual/core/csfle/fundamentals/keys-key-vaults/
_INDEX_OPTIONS: dict[str, Any] = {
    "name": INDEX_NAME,
    "unique": True,
    "partialFilterExpression": {"keyAltNames": {"$exists": True}},
}
_CHANGED = {"$currentDate": {"updateDate": True}}


class KeyVault:
    """The data keys named ``key_name`` in the collection ``namespace``, read and written by the
    majority."""

    def __init__(self, client: "MongoClient[Any]", namespace: str, key_name: str) -> None:
        database, _, collection = namespace.partition(".")
        self.client = client
        self.namespace = namespace
        self.key_name = key_name
        self._collection = client[database].get_collection(
            collection,
            # As the drivers' own key vaults: a data key's id is a UUID.
            CodecOptions(uuid_representation=UuidRepresentation.UNSPECIFIED),
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern(w="majority"),
        )

    def ensure_index(self) -> Changes:
        """Make the unique index on the alternative names, without which two processes could each
        make a data key."""
        if any(
            "keyAltNames" in index["key"] and index.get("unique")
            for index in self._collection.list_indexes()
        ):
            return Changes([], [], [], [INDEX_NAME])
        self._collection.create_index("keyAltNames", **_INDEX_OPTIONS)
        return Changes([INDEX_NAME], [], [], [])

    def keys(self, namespace: str) -> DataKeys | None:
        """The data keys of the collection ``namespace``; ``None`` if there are none at all."""
        documents = self._collection.find(named(self.key_name), {"keyAltNames": 1})
        return data_keys(documents, self.key_name, namespace)

    def holds(self, key: Binary) -> bool:
        """Whether there is a data key with this id, whatever its name."""
        return self._collection.find_one({"_id": key}, {"_id": 1}) is not None

    def promote(self, keys: DataKeys) -> None:
        """Make the next data key the current one; repeated, it finishes what was begun."""
        name = self.key_name
        if keys.next is None:
            return
        if keys.current != keys.next:
            self._rename(keys.current, name, retired_name(name, keys.current))
        self._rename(keys.next, next_name(name), name)

    def settle(self, key: Binary, namespace: str) -> None:
        """Note that all secrets of the collection ``namespace`` are encrypted with ``key``."""
        note = settled_name(self.key_name, namespace)
        self._collection.update_many(
            {"keyAltNames": note, "_id": {"$ne": key}}, {"$pull": {"keyAltNames": note}, **_CHANGED}
        )
        # Held by another data key only if that has become current meanwhile.
        with suppress(DuplicateKeyError):
            self._collection.update_one(
                {"_id": key}, {"$addToSet": {"keyAltNames": note}, **_CHANGED}
            )

    def _rename(self, key: Binary, name: str, new_name: str) -> None:
        self._collection.update_one(
            {"_id": key, "keyAltNames": name}, {"$set": {"keyAltNames.$": new_name}, **_CHANGED}
        )
