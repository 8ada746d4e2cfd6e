"""The key vault: the collection of data keys."""

from contextlib import suppress
from typing import Any

from bson.binary import Binary, UuidRepresentation
from bson.codec_options import CodecOptions
from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.errors import DuplicateKeyError, OperationFailure
from pymongo.read_concern import ReadConcern

from zoho_mongo_store.driver.index import Changes
from zoho_mongo_store.driver.query_plan import is_indexed
from zoho_mongo_store.encryption.data_keys import (
    DataKeys,
    data_keys,
    named,
    next_name,
    retired_name,
    settled_name,
)
from zoho_mongo_store.encryption.settings import FieldEncryption
from zoho_mongo_store.errors import keeping_words, lacks_privilege

_FIELD = "keyAltNames"
INDEX_NAME = f"{_FIELD}_1"
# MongoDB's own: https://www.mongodb.com/docs/manual/core/csfle/fundamentals/keys-key-vaults/
_INDEX_OPTIONS: dict[str, Any] = {
    "name": INDEX_NAME,
    "unique": True,
    "partialFilterExpression": {_FIELD: {"$exists": True}},
}
_CHANGED = {"$currentDate": {"updateDate": True}}


class KeyVault:
    """The data keys under one name, with majority reads and writes.

    Attributes:
        namespace: The database and collection, as ``database.collection``.
        key_name: The alternative name of the current data key.
    """

    def __init__(self, client: "MongoClient[Any]", settings: FieldEncryption) -> None:
        """Select the collection. Nothing is sent.

        Args:
            client: The client for the key vault.
            settings: Name the key vault and the data key.
        """
        self.namespace = settings.key_vault
        self.key_name = settings.key_name
        database, _, collection = self.namespace.partition(".")
        self._collection = client[database].get_collection(
            collection,
            # Like the drivers' own key vaults: a data key's id is a UUID.
            CodecOptions(uuid_representation=UuidRepresentation.UNSPECIFIED),
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern(w="majority"),
        )

    def ensure_index(self) -> Changes:
        """Create the unique index on the alternative names, unless it exists.

        Without it, two processes could each create a data key.

        Returns:
            What was done.
        """
        try:
            with keeping_words():
                if any(
                    _FIELD in index["key"] and index.get("unique")
                    for index in self._collection.list_indexes()
                ):
                    return Changes([], [], [], [INDEX_NAME])
                self._collection.create_index(_FIELD, **_INDEX_OPTIONS)
        except OperationFailure as error:
            # The role may not list indexes, and the index may exist all the same.
            if lacks_privilege(error) and is_indexed(self._collection, _FIELD, unique=True):
                return Changes([], [], [], [INDEX_NAME])
            raise
        return Changes([INDEX_NAME], [], [], [])

    def keys(self, namespace: str, preference: Any = ReadPreference.PRIMARY) -> DataKeys | None:
        """Read the data keys of the collection ``namespace``; ``None`` if there are none at all.

        Args:
            namespace: The collection of the tokens.
            preference: The read preference. Default: the primary only.
        """
        vault = self._collection.with_options(read_preference=preference)
        documents = vault.find(named(self.key_name), {"keyAltNames": 1})
        return data_keys(documents, self.key_name, namespace)

    def holds(self, key: Binary) -> bool:
        """Whether there is a data key with this id, whatever its name."""
        return self._collection.find_one({"_id": key}, {"_id": 1}) is not None

    def promote(self, keys: DataKeys) -> None:
        """Make the next data key the current one. Call it again to finish what was interrupted."""
        name = self.key_name
        if keys.next is None:
            return
        if keys.current != keys.next:
            self._rename(keys.current, name, retired_name(name, keys.current))
        self._rename(keys.next, next_name(name), name)

    def settle(self, key: Binary, namespace: str) -> None:
        """Record that all secrets of the collection ``namespace`` are encrypted with ``key``."""
        note = settled_name(self.key_name, namespace)
        self._collection.update_many(
            {"keyAltNames": note, "_id": {"$ne": key}}, {"$pull": {"keyAltNames": note}, **_CHANGED}
        )
        # Another data key can have the name only if it has become current in the meantime.
        with suppress(DuplicateKeyError):
            self._collection.update_one(
                {"_id": key}, {"$addToSet": {"keyAltNames": note}, **_CHANGED}
            )

    def _rename(self, key: Binary, name: str, new_name: str) -> None:
        self._collection.update_one(
            {"_id": key, "keyAltNames": name}, {"$set": {"keyAltNames.$": new_name}, **_CHANGED}
        )
