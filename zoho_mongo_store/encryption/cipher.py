"""Encrypts and decrypts single values with the data keys of a key vault."""

from collections.abc import Mapping
from typing import Any, NoReturn, TypeGuard

from bson.binary import Binary
from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError, EncryptionError

from zoho_mongo_store.encryption.key_vault import KeyVault
from zoho_mongo_store.encryption.library import open_library, raise_if_elsewhere, reason_of
from zoho_mongo_store.encryption.settings import FieldEncryption
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, ENCRYPTED

# Values of pymongo.encryption.Algorithm, which is imported only when it is used. A field that
# tokens are looked up by must always be encrypted to the same value.
_DETERMINISTIC = "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"
_RANDOM = "AEAD_AES_256_CBC_HMAC_SHA_512-Random"
# An encrypted value begins with one byte for the algorithm, then the data key's id, a UUID.
_KEY_ID = slice(1, 17)
_UUID = 4


class UnreadableError(StoreError):
    """One value cannot be decrypted: it is damaged, or its data key is gone.

    Other values may still be readable.
    """


class Cipher:
    """Encrypts and decrypts with the data keys of one key vault. Thread-safe.

    Attributes:
        vault: The key vault.
    """

    def __init__(self, settings: FieldEncryption, client: "MongoClient[Any]") -> None:
        """Set up MongoDB's library.

        Args:
            settings: The master keys and the key vault.
            client: The client for the key vault. It is not closed.

        Raises:
            StoreError: pymongo does not accept the settings, or the client is not pymongo's.
        """
        self._settings = settings
        self.vault = KeyVault(client, settings)
        self._library = open_library(settings, client)

    def close(self) -> None:
        """Release what MongoDB's library holds, including the data keys in memory."""
        self._library.close()

    def create_key(self, name: str) -> bool:
        """Create a data key.

        Args:
            name: Its alternative name.

        Returns:
            Whether it was created; ``False`` if the name is already taken.

        Raises:
            StoreError: It could not be created.
        """
        settings = self._settings
        try:
            self._library.create_data_key(settings.provider, settings.master_key, [name])
        except EncryptionError as error:
            if isinstance(error.cause, DuplicateKeyError):
                return False
            self._fail(error, f"no data key can be created with {settings.provider!r}")
        return True

    def rewrap(self, filter: Mapping[str, Any]) -> int:
        """Wrap data keys with the master key of the first provider.

        Args:
            filter: Selects the data keys in the key vault.

        Returns:
            The number of data keys.

        Raises:
            StoreError: They could not be wrapped.
        """
        settings = self._settings
        try:
            done = self._library.rewrap_many_data_key(
                filter, settings.provider, settings.master_key
            ).bulk_write_result
        except EncryptionError as error:
            self._fail(error, f"the data keys cannot be wrapped with {settings.provider!r}")
        return 0 if done is None else done.matched_count

    def encrypt(self, field: str, value: str, key: Binary) -> Binary:
        """Encrypt a value.

        Args:
            field: The field of the value, which decides the algorithm.
            value: The value in plain text.
            key: The id of the data key.

        Returns:
            The value to store.

        Raises:
            StoreError: The data key is gone, or cannot be unwrapped.
            KeyServiceError: The key management service could not be reached.
        """
        algorithm = _DETERMINISTIC if field in CREDENTIAL_FIELDS else _RANDOM
        try:
            return self._library.encrypt(value, algorithm, key)
        except EncryptionError as error:
            self._fail_by_key(error, key)

    def decrypt(self, document: Any, field: str, value: Binary) -> str:
        """Decrypt a value.

        Args:
            document: The ``_id`` of its document, for the error.
            field: Its field, for the error.
            value: The stored value.

        Returns:
            The value in plain text.

        Raises:
            UnreadableError: This value cannot be decrypted.
            StoreError: No value can be decrypted: the data key cannot be unwrapped.
            KeyServiceError: The key management service could not be reached.
        """
        try:
            text = self._library.decrypt(value)
        except EncryptionError as error:
            self._fail_by_value(error, document, field, key_of(value))
        if not isinstance(text, str):
            raise UnreadableError(
                f"the {field} of the document {document!r} is not an encrypted string: remove the "
                "document and log in again"
            )
        return text

    def _fail_by_value(
        self, error: EncryptionError, document: Any, field: str, key: Binary | None
    ) -> NoReturn:
        raise_if_elsewhere(error, self._settings)
        where = f"the {field} of the document {document!r}"
        if key is None:
            raise UnreadableError(
                f"{where} is damaged: it is not an encrypted value; remove the document and log in "
                "again"
            ) from None
        if not self.vault.holds(key):
            raise UnreadableError(
                f"{where} cannot be decrypted: its data key {key.hex()} is not in the key vault "
                f"{self.vault.namespace}; restore the vault from its backup, or remove the "
                "document and log in again"
            ) from None
        # Raises if the data key is the cause.
        self.encrypt(field, "", key)
        raise UnreadableError(
            f"{where} is damaged: it was changed after it was encrypted; remove the document and "
            "log in again"
        ) from None

    def _fail_by_key(self, error: EncryptionError, key: Binary) -> NoReturn:
        raise_if_elsewhere(error, self._settings)
        if not self.vault.holds(key):
            raise StoreError(
                f"the data key {key.hex()} is no longer in the key vault {self.vault.namespace}: "
                "restore the vault from its backup"
            ) from None
        self._fail(
            error,
            f"the data key {key.hex()} cannot be unwrapped: kms_providers must contain the master "
            "key that wraps it",
        )

    def _fail(self, error: EncryptionError, what: str) -> NoReturn:
        raise_if_elsewhere(error, self._settings)
        raise StoreError(f"{what} ({reason_of(error, self._settings)})") from None


def is_encrypted(value: object) -> TypeGuard[Binary]:
    """Whether ``value`` is marked as encrypted by its BSON subtype."""
    return isinstance(value, Binary) and value.subtype == ENCRYPTED


def key_of(value: Binary) -> Binary | None:
    """Return the id of the data key that ``value`` is encrypted with; ``None`` if it has none."""
    id = value[_KEY_ID]
    return Binary(id, _UUID) if len(id) == _KEY_ID.stop - _KEY_ID.start else None
