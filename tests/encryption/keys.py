"""Master keys and settings for tests, made anew in each run and the same in all its processes."""

import os
from typing import Any

from pymongo import MongoClient

from zoho_mongo_store import FieldEncryption
from zoho_mongo_store.encryption.cipher import Cipher
from zoho_mongo_store.model.document import SECRET_FIELDS

KEY_VAULT = "__keyVault"
ENCRYPTED = 6

Document = dict[str, Any]
Client = MongoClient[Document]


def new_key() -> bytes:
    """A local master key."""
    return os.urandom(96)


def settings(database: str, key: bytes, **options: Any) -> FieldEncryption:
    """With one local master key, and the key vault in ``database``."""
    providers = {"local": {"key": key}}
    return FieldEncryption(
        **{"kms_providers": providers, "key_vault": f"{database}.{KEY_VAULT}", **options}
    )


def decrypted(client: Client, encryption: FieldEncryption, document: Document) -> Document:
    """A raw document with its secrets in plain; each of them has to be encrypted."""
    cipher = Cipher(encryption, client)
    try:
        return {
            field: cipher.decrypt(document["_id"], field, value)
            if field in SECRET_FIELDS
            else value
            for field, value in document.items()
        }
    finally:
        cipher.close()


def forms(document: Document) -> set[str]:
    """How the secrets of a raw document are stored: ``encrypted``, or the name of their type."""
    return {
        "encrypted" if getattr(value, "subtype", None) == ENCRYPTED else type(value).__name__
        for field, value in document.items()
        if field in SECRET_FIELDS
    }
