"""Opens MongoDB's library for encryption, and says what its failures mean."""

import importlib.util
import traceback
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bson.codec_options import CodecOptions
from pymongo import MongoClient
from pymongo.errors import EncryptionError, PyMongoError

from zoho_mongo_store.encryption.interrupts import raise_if_interrupted, remember_what_is_raised
from zoho_mongo_store.encryption.key_reads import read_keys_past_primary
from zoho_mongo_store.encryption.settings import FieldEncryption
from zoho_mongo_store.errors import KeyServiceError, StoreError, is_unreachable, without

if TYPE_CHECKING:
    from pymongo.encryption import ClientEncryption

# libmongocrypt's text after it has tried a key management service several times.
_SERVICE_IS_AWAY = "last attempt failed with"
_LONGEST_REASON = 300
_ADDRESSES = ("endpoint", "identityPlatformEndpoint")


def require_library() -> None:
    """Check that the extra ``encryption`` is installed, without importing it.

    Raises:
        StoreError: It is not installed.
    """
    if importlib.util.find_spec("pymongocrypt") is None:
        raise StoreError(
            "encryption is not installed: run pip install 'zoho-mongo-store[encryption]'"
        )


def open_library(
    settings: FieldEncryption, client: "MongoClient[Any]"
) -> "ClientEncryption[dict[str, Any]]":
    """Open the library.

    Args:
        settings: The master keys and the key vault.
        client: The client for the key vault.

    Returns:
        The library, to be closed by the caller.

    Raises:
        StoreError: pymongo does not accept the settings, or the client is not pymongo's.
    """
    from pymongo.encryption import ClientEncryption
    from pymongocrypt.errors import MongoCryptError  # type: ignore[import-untyped]

    if not isinstance(client, MongoClient):
        raise StoreError("encryption needs a pymongo MongoClient: mongomock cannot encrypt")
    try:
        library: ClientEncryption[dict[str, Any]] = ClientEncryption(
            settings.kms_providers,
            settings.key_vault,
            client,
            CodecOptions(),
            kms_tls_options=settings.kms_tls_options,
        )
    except (PyMongoError, MongoCryptError, TypeError, ValueError) as error:
        raise StoreError(f"the encryption cannot be set up: {reason_of(error, settings)}") from None
    read_keys_past_primary(library)
    remember_what_is_raised()
    return library


def raise_if_elsewhere(error: EncryptionError, settings: FieldEncryption) -> None:
    """Raise another error if the cause is neither the value nor the data key.

    Args:
        error: The library's failure.
        settings: The settings that it was opened with.

    Raises:
        KeyServiceError: The key management service could not be reached.
        PyMongoError: MongoDB could not be reached.
        BaseException: A signal's handler raised it; see ``raise_if_interrupted``.
    """
    raise_if_interrupted(error)
    if _is_from_key_service(error.cause) or _SERVICE_IS_AWAY in str(error):
        raise KeyServiceError(reason_of(error, settings)) from None
    if is_unreachable(error.cause):
        raise error.cause from None


def reason_of(error: Exception, settings: FieldEncryption) -> str:
    """Return the text of the library's failure, shortened and without credentials."""
    return without(_texts(settings.kms_providers), str(error))[:_LONGEST_REASON]


def _is_from_key_service(error: Exception) -> bool:
    """Whether ``error`` comes from pymongo's request to the service and not from MongoDB.

    The classes are the same. The function that asks the service is ``EncryptionIO.kms_request``
    (pymongo/synchronous/encryption.py).
    """
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code.co_name == "kms_request" for frame, _ in frames)


def _texts(value: object) -> Iterator[str]:
    """Yield all texts in the providers' credentials except addresses. No error may show them."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            if name not in _ADDRESSES:
                yield from _texts(one)
    elif isinstance(value, str) and value:
        yield value
