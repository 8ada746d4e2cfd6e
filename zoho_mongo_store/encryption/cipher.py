"""Encrypts and decrypts single values with MongoDB's library, and says what its failures mean."""

import importlib.util
import traceback
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard

from bson.binary import Binary
from bson.codec_options import CodecOptions
from pymongo import MongoClient, ReadPreference
from pymongo.errors import DuplicateKeyError, EncryptionError, PyMongoError

from zoho_mongo_store.encryption.interrupts import raise_if_interrupted
from zoho_mongo_store.encryption.key_vault import KeyVault
from zoho_mongo_store.encryption.settings import FieldEncryption
from zoho_mongo_store.errors import KeyServiceError, StoreError, is_unreachable, without
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, ENCRYPTED

if TYPE_CHECKING:
    from pymongo.encryption import ClientEncryption

# Values of pymongo.encryption.Algorithm, which is imported only when it is used. A field that
# tokens are looked up by has to be encrypted to the same value each time.
_DETERMINISTIC = "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"
_RANDOM = "AEAD_AES_256_CBC_HMAC_SHA_512-Random"
# An encrypted value begins with one byte for the algorithm and the data key's id, a UUID.
_KEY_ID = slice(1, 17)
_UUID = 4
# What libmongocrypt says after it tried a key management service again and again.
_SERVICE_IS_AWAY = "last attempt failed with"
_LONGEST_REASON = 300
_ADDRESSES = ("endpoint", "identityPlatformEndpoint")


class UnreadableError(StoreError):
    """One value cannot be decrypted: it is damaged, or its data key is gone.

    Other values can be decrypted still.
    """


class Cipher:
    """Encrypts and decrypts with the data keys of one key vault, for any number of threads.

    Attributes:
        vault: The key vault.
    """

    def __init__(self, settings: FieldEncryption, client: "MongoClient[Any]") -> None:
        """Set up MongoDB's library.

        Args:
            settings: The master keys, and which key vault to use.
            client: Leads to the key vault. It is not closed.

        Raises:
            StoreError: The settings are not what pymongo takes, or the client is not pymongo's.
        """
        self._settings = settings
        self.vault = KeyVault(client, settings)
        self._client = self._open(client)

    def close(self) -> None:
        """Release what MongoDB's library holds, including the data keys in memory."""
        self._client.close()

    def create_key(self, name: str) -> bool:
        """Make a data key.

        Args:
            name: Its alternative name.

        Returns:
            Whether it was made; ``False`` if the name is taken by now.

        Raises:
            StoreError: It could not be made.
        """
        settings = self._settings
        try:
            self._client.create_data_key(settings.provider, settings.master_key, [name])
        except EncryptionError as error:
            if isinstance(error.cause, DuplicateKeyError):
                return False
            self._fail(error, f"no data key can be made with {settings.provider!r}")
        return True

    def rewrap(self, filter: Mapping[str, Any]) -> int:
        """Wrap data keys with the master key of the first provider.

        Args:
            filter: Which data keys, as a filter on the key vault.

        Returns:
            How many there are.

        Raises:
            StoreError: They could not be wrapped.
        """
        settings = self._settings
        try:
            done = self._client.rewrap_many_data_key(
                filter, settings.provider, settings.master_key
            ).bulk_write_result
        except EncryptionError as error:
            self._fail(error, f"the data keys cannot be wrapped with {settings.provider!r}")
        return 0 if done is None else done.matched_count

    def encrypt(self, field: str, value: str, key: Binary) -> Binary:
        """Encrypt a value.

        Args:
            field: The field that it is for, which decides the algorithm.
            value: The value in plain.
            key: The id of the data key.

        Returns:
            The value to store.

        Raises:
            StoreError: The data key is gone, or cannot be unwrapped.
            KeyServiceError: The key management service could not be reached.
        """
        algorithm = _DETERMINISTIC if field in CREDENTIAL_FIELDS else _RANDOM
        try:
            return self._client.encrypt(value, algorithm, key)
        except EncryptionError as error:
            self._fail_by_key(error, key)

    def decrypt(self, document: Any, field: str, value: Binary) -> str:
        """Decrypt a value.

        Args:
            document: The ``_id`` of its document, for the error.
            field: Its field, for the error.
            value: The stored value.

        Returns:
            The value in plain.

        Raises:
            UnreadableError: This value cannot be decrypted.
            StoreError: No value can: the data key cannot be unwrapped.
            KeyServiceError: The key management service could not be reached.
        """
        try:
            text = self._client.decrypt(value)
        except EncryptionError as error:
            self._fail_by_value(error, document, field, key_of(value))
        if not isinstance(text, str):
            raise UnreadableError(f"the {field} of the document {document!r} is no encrypted text")
        return text

    def _open(self, client: "MongoClient[Any]") -> "ClientEncryption[dict[str, Any]]":
        from pymongo.encryption import ClientEncryption
        from pymongocrypt.errors import MongoCryptError  # type: ignore[import-untyped]

        settings = self._settings
        if not isinstance(client, MongoClient):
            raise StoreError("encryption needs pymongo's MongoClient: mongomock cannot encrypt")
        try:
            opened: ClientEncryption[dict[str, Any]] = ClientEncryption(
                settings.kms_providers,
                self.vault.namespace,
                client,
                CodecOptions(),
                kms_tls_options=settings.kms_tls_options,
            )
        except (PyMongoError, MongoCryptError, TypeError, ValueError) as error:
            raise StoreError(f"the encryption cannot be set up: {self._reason(error)}") from None
        _read_past_primary(opened)
        return opened

    def _fail_by_value(
        self, error: EncryptionError, document: Any, field: str, key: Binary | None
    ) -> NoReturn:
        self._raise_if_elsewhere(error)
        where = f"the {field} of the document {document!r}"
        if key is None:
            raise UnreadableError(f"{where} is damaged: it is no encrypted value") from None
        if not self.vault.holds(key):
            raise UnreadableError(
                f"{where} cannot be decrypted: its data key {key.hex()} is not in the key vault "
                f"{self.vault.namespace}; restore that from its backup, or remove the document "
                "and log in again"
            ) from None
        # This raises if the data key is at fault.
        self.encrypt(field, "", key)
        raise UnreadableError(
            f"{where} is damaged: it was changed after it was encrypted; remove the document and "
            "log in again"
        ) from None

    def _fail_by_key(self, error: EncryptionError, key: Binary) -> NoReturn:
        self._raise_if_elsewhere(error)
        if not self.vault.holds(key):
            raise StoreError(
                f"the data key {key.hex()} is not in the key vault {self.vault.namespace} any "
                "more: restore that from its backup"
            ) from None
        self._fail(
            error,
            f"the data key {key.hex()} cannot be unwrapped: kms_providers have to hold the very "
            "master key that it was made with",
        )

    def _fail(self, error: EncryptionError, what: str) -> NoReturn:
        self._raise_if_elsewhere(error)
        raise StoreError(f"{what} ({self._reason(error)})") from None

    def _raise_if_elsewhere(self, error: EncryptionError) -> None:
        """Raise another error if the cause is elsewhere.

        MongoDB or the key management service could not be reached, or a signal came.
        """
        if _is_from_key_service(error.cause) or _SERVICE_IS_AWAY in str(error):
            raise KeyServiceError(self._reason(error)) from None
        if is_unreachable(error.cause):
            raise error.cause from None
        raise_if_interrupted(str(error))

    def _reason(self, error: Exception) -> str:
        return without(_texts(self._settings.kms_providers), str(error))[:_LONGEST_REASON]


def _is_from_key_service(error: Exception) -> bool:
    """Whether pymongo raised ``error`` on its way to the service, not to MongoDB.

    Both raise the same classes; the function that asks the service is
    ``EncryptionIO.kms_request`` (pymongo/synchronous/encryption.py).
    """
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code.co_name == "kms_request" for frame, _ in frames)


def _read_past_primary(client: "ClientEncryption[dict[str, Any]]") -> None:
    """Let data keys be fetched from a secondary while there is no primary, so that finds go on.

    The library forgets a data key after a minute. pymongo has no option for where it is fetched.
    """
    reader = getattr(client, "_io_callbacks", None)
    vault = getattr(reader, "key_vault_coll", None)
    if reader is not None and vault is not None:
        reader.key_vault_coll = vault.with_options(read_preference=ReadPreference.PRIMARY_PREFERRED)


def is_encrypted(value: object) -> TypeGuard[Binary]:
    """Tell whether ``value`` is marked as an encrypted one, by its BSON subtype."""
    return isinstance(value, Binary) and value.subtype == ENCRYPTED


def key_of(value: Binary) -> Binary | None:
    """Read the id of the data key that ``value`` is encrypted with; ``None`` if it has none."""
    id = value[_KEY_ID]
    return Binary(id, _UUID) if len(id) == _KEY_ID.stop - _KEY_ID.start else None


def require_library() -> None:
    """Check that the extra ``encryption`` is installed, without importing it.

    Raises:
        StoreError: It is not.
    """
    if importlib.util.find_spec("pymongocrypt") is None:
        raise StoreError("encryption needs an extra: pip install 'zoho-mongo-store[encryption]'")


def _texts(value: object) -> Iterator[str]:
    """List all texts in the credentials of the providers except addresses. No error shows them."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            if name not in _ADDRESSES:
                yield from _texts(one)
    elif isinstance(value, str) and value:
        yield value
