"""The way from the shared options to MongoDB."""

import contextlib
import functools
from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.collection import Collection

from zoho_mongo_store.commands.encryption_options import field_encryption
from zoho_mongo_store.commands.options import Options
from zoho_mongo_store.driver.connection import Connection
from zoho_mongo_store.driver.indexes import Index
from zoho_mongo_store.encryption import FieldEncryption
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.storage.repository import TokenRepository

TIMEOUT = 5.0
"""Seconds that each operation may take."""
SCAN_TIMEOUT = 600.0
"""Seconds that an operation on the whole collection may take."""


class CommandContext:
    """The collection that a command works on."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._connection: Connection | None = None

    @functools.cached_property
    def encryption(self) -> FieldEncryption | None:
        """How the collection is encrypted, as the options say."""
        options = self.options
        if options.kms_providers is None:
            return None
        return field_encryption(
            options.kms_providers, options.master_key, options.key_vault, options.key_name
        )

    @contextmanager
    def open(self, *, idle: Index | None = None) -> Iterator[TokenRepository]:
        """The tokens, with the connection closed afterwards. No index is made by the way.

        idle: the TTL index that ``ensure_indexes`` is to make, or to remove if ``None``.
        """
        connection = self._connect()
        tokens = TokenRepository(
            connection,
            timeout=TIMEOUT,
            idle=idle,
            create_indexes=False,
            serve_through_outage=None,
            encryption=self.encryption,
        )
        with contextlib.closing(tokens):
            yield tokens

    @contextmanager
    def collection(self) -> Iterator[Collection[Document]]:
        """The pymongo collection alone, in which secrets are as they are stored."""
        with contextlib.closing(self._connect()) as connection:
            yield connection.collection

    def secrets(self) -> list[str]:
        """What no line may show."""
        return [] if self._connection is None else self._connection.secrets

    def _connect(self) -> Connection:
        options = self.options
        self._connection = Connection(options.uri, None, options.database, options.collection)
        return self._connection
