"""The data keys of a collection, the first of them made once for the whole fleet."""

import time
from typing import Any

from bson.binary import Binary
from pymongo.collection import Collection

from zoho_mongo_store.encryption.cipher import Cipher
from zoho_mongo_store.encryption.data_keys import DataKeys
from zoho_mongo_store.encryption.vault import KeyVault
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, Document

ANY_TEXT = {"$gte": ""}
_ANY_BINARY = {"$gte": Binary(b"")}

# Another process's new data key is read once the majority has it.
_ATTEMPTS = 20
_PAUSE = 0.1


def obtain_keys(collection: Collection[Document], vault: KeyVault, cipher: Cipher) -> DataKeys:
    """The data keys of ``collection``; makes the first one if the vault has none.

    Of all who make one at once the unique index lets one through, and all use that one's. Raises
    ``StoreError`` when the vault is empty and documents are encrypted: their data key is lost, and
    a new one would hide that.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE)
        keys = vault.keys(collection.full_name)
        if keys is not None:
            return keys
        is_in_use = holds_credential(collection, _ANY_BINARY)
        # Another process may just have made the key, and saved: what it saved is newer than that.
        keys = vault.keys(collection.full_name)
        if keys is not None:
            return keys
        if is_in_use:
            raise StoreError(
                f"the key vault {vault.namespace} has no data key {vault.key_name!r}, but "
                "documents are encrypted: restore the vault from its backup, or check key_vault "
                "and key_name"
            )
        cipher.create_key(vault.key_name)
    raise StoreError("a new data key did not reach the majority in time: try again")


def holds_credential(collection: Collection[Document], condition: dict[str, Any]) -> bool:
    """Whether a credential of any document meets ``condition``: an index scan for each field."""
    return any(
        collection.find_one({field: condition}, {"_id": 1}) is not None
        for field in CREDENTIAL_FIELDS
    )
