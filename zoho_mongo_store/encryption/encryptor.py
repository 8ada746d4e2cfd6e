"""The encryption of one store over time: set up on first use, aware of new data keys."""

import time

from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from zoho_mongo_store.driver.fork import reset_after_fork
from zoho_mongo_store.driver.index import Changes
from zoho_mongo_store.driver.timed_lock import TimedLock
from zoho_mongo_store.driver.views import is_of_primary, is_of_secondary
from zoho_mongo_store.encryption.cipher import Cipher
from zoho_mongo_store.encryption.codec import HOW_TO_ENCRYPT, Codec
from zoho_mongo_store.encryption.collection import EncryptedCollection
from zoho_mongo_store.encryption.first_key import ANY_TEXT, holds_credential, obtain_keys
from zoho_mongo_store.encryption.key_vault import KeyVault
from zoho_mongo_store.encryption.library import require_library
from zoho_mongo_store.encryption.settings import FieldEncryption
from zoho_mongo_store.errors import StoreError, is_unreachable
from zoho_mongo_store.model.document import Document

REREAD_SECONDS = 10.0
"""How often a process re-reads the list of data keys."""
LATEST_SECONDS = 15.0
"""The oldest list that threads may use while another thread is re-reading it.

A rotation waits longer than this.
"""
UNDER_WAY_SECONDS = 15.0
"""How long an operation may use the list that it started with: the timeout of its store."""

# While there is no primary, finds use an older list and retry the key vault this often.
RETRY_SECONDS = 5.0

# A forked child must not free what the parent's threads were using.
_left_to_the_parent: list[Cipher] = []


class Encryptor:
    """Keeps the current ``Codec`` of one store. Thread-safe.

    Nothing is sent before the first use, which creates the data key if there is none. Every ten
    seconds an operation re-reads the list of data keys, so a rotation needs no restart.
    """

    def __init__(self, settings: FieldEncryption, timeout: float) -> None:
        """Remember the settings.

        Args:
            settings: The application's settings.
            timeout: Seconds that a thread waits for another one that is reading the data keys.

        Raises:
            StoreError: The extra ``encryption`` is not installed.
        """
        require_library()
        self._settings = settings
        self._timeout = timeout
        self._cipher: Cipher | None = None
        self._codec: Codec | None = None
        self._read_at = 0.0
        self._retry_at = 0.0
        self._reading = TimedLock()
        reset_after_fork(self)

    def in_plain(self, collection: Collection[Document]) -> EncryptedCollection:
        """Return a collection of the store whose callers see secrets in plain text."""
        return EncryptedCollection(collection, self.current_codec)

    def current_codec(self, collection: Collection[Document]) -> Codec:
        """Return the codec with the current data keys.

        Args:
            collection: The collection of the store, whose client is used for the key vault too. If
                a secondary may answer its reads, an older list will do while there is no primary,
                since a miss is looked up again on the primary.

        Returns:
            The codec. Otherwise its list of data keys is not older than ``LATEST_SECONDS``.

        Raises:
            StoreError: The settings do not match the key vault or the contents of the collection.
            PyMongoError: MongoDB could not be reached, or refused.
        """
        codec = self._codec
        if codec is not None and self._age() < self._longest_age():
            return codec
        may_be_old = codec is not None and not is_of_primary(collection)
        if codec is not None and may_be_old and time.monotonic() < self._retry_at:
            return codec
        try:
            return self._read_again(collection)
        except PyMongoError as error:
            if codec is None or not may_be_old or not is_unreachable(error):
                raise
            self._retry_at = time.monotonic() + RETRY_SECONDS
            return codec

    def ensure_index(self, collection: Collection[Document]) -> Changes:
        """Create the unique index of the key vault, using the client of ``collection``."""
        vault = KeyVault(collection.database.client, self._settings)
        return vault.ensure_index()

    def close(self) -> None:
        """Forget the data keys."""
        cipher, self._cipher, self._codec = self._cipher, None, None
        if cipher is not None:
            cipher.close()

    def after_fork(self) -> None:
        """Start afresh in a forked child, which has another client."""
        if self._cipher is not None:
            _left_to_the_parent.append(self._cipher)
        self._cipher = self._codec = None

    def _age(self) -> float:
        """Return the seconds since the list of data keys was read."""
        return time.monotonic() - self._read_at

    def _longest_age(self) -> float:
        return LATEST_SECONDS if self._reading.held else REREAD_SECONDS

    def _read_again(self, collection: Collection[Document]) -> Codec:
        """Re-read the list of data keys, unless another thread has just done so."""
        with self._reading.hold(self._timeout):
            codec = self._codec
            if codec is None or self._age() >= REREAD_SECONDS:
                codec = self._read(collection)
            return codec

    def _read(self, collection: Collection[Document]) -> Codec:
        """Read the list of data keys, and check the collection the first time."""
        began = time.monotonic()
        if self._cipher is None:
            self._cipher = Cipher(self._settings, collection.database.client)
        keys = None
        if is_of_secondary(collection):
            vault = self._cipher.vault
            keys = vault.keys(collection.full_name, collection.read_preference)
            # It may lack the newest key, but will do for finds until the primary can be asked.
            began -= LATEST_SECONDS
            self._retry_at = time.monotonic() + RETRY_SECONDS
        keys = keys or obtain_keys(collection, self._cipher)
        plain = self._settings.plain
        if self._codec is None and plain == "refuse" and holds_credential(collection, ANY_TEXT):
            raise StoreError(
                f"documents of {collection.full_name} are not encrypted: {HOW_TO_ENCRYPT}"
            )
        self._codec, self._read_at = Codec(self._cipher, keys, plain), began
        return self._codec
