"""Creates the first data key of a collection: one for the whole fleet."""

import time
from typing import Any

from bson.binary import Binary
from pymongo.collection import Collection

from zoho_mongo_store.encryption.cipher import Cipher
from zoho_mongo_store.encryption.data_keys import DataKeys
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, Document

ANY_TEXT = {"$gte": ""}
ANY_BINARY = {"$gte": Binary(b"")}

# A data key that another process has just created can be read once the majority has it.
_ATTEMPTS = 20
_PAUSE = 0.1


def obtain_keys(collection: Collection[Document], cipher: Cipher) -> DataKeys:
    """Read the data keys of a collection, and create the first one if the key vault has none.

    If several processes create one at once, the unique index accepts one of them, and all processes
    use that key.

    Args:
        collection: The collection of the tokens.
        cipher: Creates the data key, and holds the key vault.

    Returns:
        The data keys.

    Raises:
        StoreError: The key vault is empty, but documents are encrypted. Their data key is lost, and
            a new one would hide that.
    """
    vault = cipher.vault
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE)
        keys = vault.keys(collection.full_name)
        if keys is not None:
            return keys
        is_in_use = holds_credential(collection, ANY_BINARY)
        # Another process may have created the key and saved a token since the first look.
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
    """Whether a credential of any document meets ``condition``; one index scan per field."""
    return any(
        collection.find_one({field: condition}, {"_id": 1}) is not None
        for field in CREDENTIAL_FIELDS
    )
