"""One store's encryption over time: set up when first used, its list of data keys read again."""

import time
from functools import partial

from pymongo.collection import Collection

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.driver.indexes import Changes
from zoho_mongo_store.driver.timed_lock import TimedLock
from zoho_mongo_store.encryption.cipher import Cipher, require_library
from zoho_mongo_store.encryption.codec import MOVE, Codec
from zoho_mongo_store.encryption.collection import EncryptedCollection
from zoho_mongo_store.encryption.first_key import ANY_TEXT, holds_credential, obtain_keys
from zoho_mongo_store.encryption.settings import FieldEncryption
from zoho_mongo_store.encryption.vault import KeyVault
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import Document

# How often a process reads the list of data keys again, and how old the one may be that its other
# threads use while one is at that. A rotation waits for longer than the latter.
REREAD_SECONDS = 10.0
LATEST_SECONDS = 15.0
# How long an operation may be under way that began with a list of data keys: no longer than the
# time-out of its store.
UNDER_WAY_SECONDS = 15.0

# A forked child must not take apart what the parent's threads were using.
_left_to_the_parent: list[Cipher] = []


class Encryptor:
    """Encrypts one collection for one store, for any number of threads.

    Nothing is sent before the first use, which makes the data key if there is none. Every ten
    seconds an operation reads the list of data keys again, so that a rotation needs no restart.
    """

    def __init__(self, settings: FieldEncryption, timeout: float) -> None:
        """timeout: seconds that a thread waits for another one that reads the list."""
        require_library()
        self._settings = settings
        self._timeout = timeout
        self._cipher: Cipher | None = None
        self._codec: Codec | None = None
        self._read_at = 0.0
        self._reading = TimedLock()
        reset_after_fork(self)

    def encrypted(self, collection: Collection[Document]) -> EncryptedCollection:
        """``collection`` with its secrets encrypted on the far side."""
        return EncryptedCollection(collection, partial(self._current_codec, collection))

    def ensure_index(self, collection: Collection[Document]) -> Changes:
        """Make the unique index of the key vault, which is beside ``collection``."""
        return self._vault(collection).ensure_index()

    def close(self) -> None:
        """Forget the data keys."""
        cipher, self._cipher, self._codec = self._cipher, None, None
        if cipher is not None:
            cipher.close()

    def after_fork(self) -> None:
        """Begin anew in a forked child, whose client is another."""
        if self._cipher is not None:
            _left_to_the_parent.append(self._cipher)
        self._cipher = self._codec = None

    def _current_codec(self, collection: Collection[Document]) -> Codec:
        codec = self._codec
        if codec is not None and self._age() < self._longest_age():
            return codec
        with self._reading.hold(self._timeout):
            codec = self._codec
            if codec is None or self._age() >= REREAD_SECONDS:
                codec = self._read(collection)
            return codec

    def _age(self) -> float:
        """Seconds since the list of data keys was read."""
        return time.monotonic() - self._read_at

    def _longest_age(self) -> float:
        return LATEST_SECONDS if self._reading.held else REREAD_SECONDS

    def _read(self, collection: Collection[Document]) -> Codec:
        """Read the list of data keys; the first time, also what the settings do not go with."""
        began = time.monotonic()
        vault = self._vault(collection)
        if self._cipher is None:
            self._cipher = Cipher(self._settings, vault)
        keys = obtain_keys(collection, vault, self._cipher)
        plain = self._settings.plain
        if self._codec is None and plain == "refuse" and holds_credential(collection, ANY_TEXT):
            raise StoreError(f"documents of {collection.full_name} are not encrypted: {MOVE}")
        self._codec, self._read_at = Codec(self._cipher, keys, plain), began
        return self._codec

    def _vault(self, collection: Collection[Document]) -> KeyVault:
        settings = self._settings
        return KeyVault(collection.database.client, settings.key_vault, settings.key_name)
