"""Encrypts and decrypts a whole collection, and rotates its keys, while applications use it.

Each function can be stopped and run again at any time. If it fails, it raises ``SDKException`` with
the code ``TOKEN_STORE`` and a message without any secret.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pymongo
from pymongo.collection import Collection

from zoho_mongo_store.encryption.cipher import Cipher
from zoho_mongo_store.encryption.data_keys import named, next_name
from zoho_mongo_store.encryption.encryptor import LATEST_SECONDS, UNDER_WAY_SECONDS
from zoho_mongo_store.encryption.first_key import obtain_keys
from zoho_mongo_store.encryption.library import require_library
from zoho_mongo_store.encryption.migration import (
    MigrationProgress,
    MigrationReport,
    OnProgress,
    decrypting,
    encrypting,
    migrate,
)
from zoho_mongo_store.encryption.settings import FieldEncryption
from zoho_mongo_store.errors import failure
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.signals import is_from_handler

_TICK = 0.25


def _ignore(progress: MigrationProgress) -> None:
    """Do nothing."""


def encrypt_collection(
    collection: Collection[Document],
    encryption: FieldEncryption,
    *,
    timeout: float = 5.0,
    on_progress: OnProgress = _ignore,
) -> MigrationReport:
    """Encrypt all secrets in a collection. If there is no data key, it is created.

    Until it has finished, every process must use ``plain="read"``, which finds both encrypted and
    plain secrets.

    Args:
        collection: The collection of the tokens.
        encryption: The master keys and the data key.
        timeout: Seconds that each operation may take.
        on_progress: Called after each batch of documents. Default: nothing is called.

    Returns:
        What was done.

    Raises:
        SDKException: It failed. Secrets encrypted so far stay encrypted.
    """
    with _cipher("encrypt", collection, encryption) as cipher:
        with pymongo.timeout(timeout):
            cipher.vault.ensure_index()
            current = obtain_keys(collection, cipher).current
        return migrate(collection, encrypting(cipher, current), timeout, on_progress)


def decrypt_collection(
    collection: Collection[Document],
    encryption: FieldEncryption,
    *,
    timeout: float = 5.0,
    on_progress: OnProgress = _ignore,
) -> MigrationReport:
    """Decrypt all secrets in a collection.

    Until it has finished, every process must use ``plain="write"``, which finds both encrypted and
    plain secrets, and writes plain ones.

    Args:
        collection: The collection of the tokens.
        encryption: The master keys and the data key.
        timeout: Seconds that each operation may take.
        on_progress: Called after each batch of documents. Default: nothing is called.

    Returns:
        What was done.

    Raises:
        SDKException: It failed. Secrets decrypted so far stay in plain text.
    """
    with _cipher("decrypt", collection, encryption) as cipher:
        return migrate(collection, decrypting(cipher), timeout, on_progress)


def rotate_master_key(
    collection: Collection[Document], encryption: FieldEncryption, *, timeout: float = 60.0
) -> int:
    """Wrap the data keys with the master key of the first of ``kms_providers``.

    No token document is changed. Before you call it, every process must know both master keys: the
    one that wraps the data keys now, and the new one.

    Args:
        collection: The collection of the tokens.
        encryption: The master keys, the new one first, and the data key.
        timeout: Seconds for the whole operation.

    Returns:
        The number of data keys.

    Raises:
        SDKException: It failed. Each data key is wrapped with one of the two master keys.
    """
    with _cipher("rotate-keys", collection, encryption) as cipher, pymongo.timeout(timeout):
        return cipher.rewrap(named(cipher.vault.key_name))


def rotate_data_key(
    collection: Collection[Document],
    encryption: FieldEncryption,
    *,
    timeout: float = 5.0,
    store_timeout: float = UNDER_WAY_SECONDS,
    on_progress: OnProgress = _ignore,
) -> MigrationReport:
    """Create a new data key, and encrypt all secrets in a collection with it.

    First the new key is published, so that every process searches with it too. Then it becomes the
    current key, so that every process writes with it. Then the documents are converted. Before each
    of the last two steps this waits for every process, so it takes over a minute. The old key stays
    in the vault, because backups of the documents need it. A rotation that was stopped, or that was
    started for another collection with the same key, is finished without creating another key.

    Args:
        collection: The collection of the tokens.
        encryption: The master keys and the data key.
        timeout: Seconds that each operation may take.
        store_timeout: The longest ``timeout`` in seconds of any store that uses the collection.
            Each wait takes this long plus 15 seconds, within which every process re-reads the list
            of data keys.
        on_progress: Called after each batch of documents, and while waiting. Default: nothing is
            called.

    Returns:
        What was done.

    Raises:
        SDKException: It failed. Call it again to finish.
    """
    with _cipher("rotate-keys", collection, encryption) as cipher:
        vault = cipher.vault
        with pymongo.timeout(timeout):
            vault.ensure_index()
            keys = obtain_keys(collection, cipher)
            if keys.settled and keys.next is None:
                cipher.create_key(next_name(vault.key_name))
                keys = obtain_keys(collection, cipher)
        if keys.next is not None:
            _wait(store_timeout, on_progress)
            with pymongo.timeout(timeout):
                vault.promote(keys)
                keys = obtain_keys(collection, cipher)
        _wait(store_timeout, on_progress)
        report = migrate(collection, encrypting(cipher, keys.current), timeout, on_progress)
        with pymongo.timeout(timeout):
            vault.settle(keys.current, collection.full_name)
        return report


def _wait(store_timeout: float, on_progress: OnProgress) -> None:
    """Wait until every operation in progress knows the current data keys."""
    total = LATEST_SECONDS + store_timeout
    began = time.monotonic()
    while (passed := time.monotonic() - began) < total:
        on_progress(MigrationProgress("waiting", passed, total))
        time.sleep(min(_TICK, total - passed))
    on_progress(MigrationProgress("waiting", total, total))


@contextmanager
def _cipher(
    operation: str, collection: Collection[Document], encryption: FieldEncryption
) -> Iterator[Cipher]:
    """Open a cipher for the block. Any failure in the block becomes an ``SDKException``."""
    try:
        require_library()
        with closing(Cipher(encryption, collection.database.client)) as cipher:
            yield cipher
        return
    except Exception as error:
        if is_from_handler(error):
            raise
        failed = failure(operation, error)
    raise failed
