"""Secrets encrypted in the client, with MongoDB's own field level encryption.

Importing this loads neither ``pymongocrypt`` nor a key.
"""

from zoho_mongo_store.encryption.encryptor import Encryptor
from zoho_mongo_store.encryption.settings import FieldEncryption

__all__ = ["Encryptor", "FieldEncryption"]
