"""What is done to a whole collection: encrypting, decrypting, and new keys, all while it is used.

Each function can be stopped and run again at any point. All raise ``SDKException`` with the code
``TOKEN_STORE``, without any secret.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pymongo
from pymongo.collection import Collection

from zoho_mongo_store.encryption.cipher import Cipher, require_library
from zoho_mongo_store.encryption.data_keys import named, next_name
from zoho_mongo_store.encryption.encryptor import LATEST_SECONDS, UNDER_WAY_SECONDS
from zoho_mongo_store.encryption.first_key import obtain_keys
from zoho_mongo_store.encryption.move import Moved, Progress, Report, decrypting, encrypting, move
from zoho_mongo_store.encryption.settings import FieldEncryption
from zoho_mongo_store.encryption.vault import KeyVault
from zoho_mongo_store.errors import failure
from zoho_mongo_store.model.document import Document

_TICK = 0.25


def _unreported(progress: Progress) -> None:
    """Nobody watches."""


def encrypt_collection(
    collection: Collection[Document],
    encryption: FieldEncryption,
    *,
    timeout: float = 5.0,
    report: Report = _unreported,
) -> Moved:
    """Encrypt all secrets of ``collection`` that are not; makes the data key if there is none.

    Meanwhile all processes have to use ``plain="read"``, which finds both. timeout: seconds that
    each operation may take. report: called for each document.
    """
    with _opened("encrypt", collection, encryption) as (vault, cipher):
        with pymongo.timeout(timeout):
            vault.ensure_index()
            current = obtain_keys(collection, vault, cipher).current
        return move(collection, encrypting(cipher, current), timeout, report)


def decrypt_collection(
    collection: Collection[Document],
    encryption: FieldEncryption,
    *,
    timeout: float = 5.0,
    report: Report = _unreported,
) -> Moved:
    """Store all secrets of ``collection`` in plain: the way back.

    Meanwhile all processes have to use ``plain="write"``, which finds both and writes plain. As
    ``encrypt_collection``.
    """
    with _opened("decrypt", collection, encryption) as (_, cipher):
        return move(collection, decrypting(cipher), timeout, report)


def rotate_master_key(
    collection: Collection[Document], encryption: FieldEncryption, *, timeout: float = 60.0
) -> int:
    """Wrap the data keys with the master key of the first of ``kms_providers``; how many.

    No document is touched. Before this, all processes have to know both master keys: the one that
    wraps the data keys now, and the new one. timeout: seconds for the whole of it.
    """
    with (
        _opened("rotate-keys", collection, encryption) as (vault, cipher),
        pymongo.timeout(timeout),
    ):
        return cipher.rewrap(named(vault.key_name))


def rotate_data_key(
    collection: Collection[Document],
    encryption: FieldEncryption,
    *,
    timeout: float = 5.0,
    store_timeout: float = UNDER_WAY_SECONDS,
    report: Report = _unreported,
) -> Moved:
    """Make a new data key, and encrypt all secrets of ``collection`` with it.

    The new key is published, becomes the current one when all processes look for it, and the
    documents follow when all of them write with it: a minute passes with waiting. The old key stays
    in the vault, as backups of the documents need it. Where a move is unfinished, after a stop or
    because another collection shares the key, it is finished, with no further key. As
    ``encrypt_collection``.

    store_timeout: seconds, the longest ``timeout`` of the stores that use the collection. It waits
        twice for that and for the 15 seconds after which every process has read the new list of
        data keys.
    """
    with _opened("rotate-keys", collection, encryption) as (vault, cipher):
        with pymongo.timeout(timeout):
            vault.ensure_index()
            keys = obtain_keys(collection, vault, cipher)
            if keys.settled and keys.next is None:
                cipher.create_key(next_name(vault.key_name))
                keys = obtain_keys(collection, vault, cipher)
        if keys.next is not None:
            _wait(store_timeout, report)
            with pymongo.timeout(timeout):
                vault.promote(keys)
                keys = obtain_keys(collection, vault, cipher)
        _wait(store_timeout, report)
        moved = move(collection, encrypting(cipher, keys.current), timeout, report)
        with pymongo.timeout(timeout):
            vault.settle(keys.current, collection.full_name)
        return moved


def _wait(store_timeout: float, report: Report) -> None:
    """Wait until no operation is under way that does not know the data keys as they are now."""
    total = LATEST_SECONDS + store_timeout
    began = time.monotonic()
    while (passed := time.monotonic() - began) < total:
        report(Progress("waiting", passed, total))
        time.sleep(min(_TICK, total - passed))
    report(Progress("waiting", total, total))


@contextmanager
def _opened(
    operation: str, collection: Collection[Document], encryption: FieldEncryption
) -> Iterator[tuple[KeyVault, Cipher]]:
    """The key vault and a cipher for the block; whatever fails in it becomes an SDKException."""
    try:
        require_library()
        vault = KeyVault(collection.database.client, encryption.key_vault, encryption.key_name)
        cipher = Cipher(encryption, vault)
        try:
            yield vault, cipher
        finally:
            cipher.close()
        return
    except Exception as error:
        failed = failure(operation, error)
    raise failed
