"""What a command works on: one collection, with one client."""

import contextlib
import functools
from types import TracebackType

from pymongo.collection import Collection

from zoho_mongo_store.commands.field_encryption import field_encryption
from zoho_mongo_store.commands.options import Options
from zoho_mongo_store.driver.connection import Connection
from zoho_mongo_store.driver.index import Index
from zoho_mongo_store.encryption import FieldEncryption
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.storage.lease_collection import LEASES_SUFFIX
from zoho_mongo_store.storage.repository import TokenRepository

TIMEOUT = 5.0
"""Seconds that each operation may take."""
SCAN_TIMEOUT = 600.0
"""Seconds that an operation on the whole collection may take."""


class CommandContext:
    """The collection that the shared options name, read from the primary.

    The whole command uses one client. Use it as a context manager, which closes the client at the
    end.
    """

    def __init__(self, options: Options) -> None:
        """Read the options. Nothing touches the network yet.

        Args:
            options: The shared options, as given on the command line.

        Raises:
            InvalidInputError: MongoDB does not accept the URI or a name.
        """
        self._options = options
        # A command must not report or act on anything older than the last save.
        self._connection = Connection(
            options.uri,
            None,
            options.database,
            options.collection,
            suffix=LEASES_SUFFIX,
            reads_primary=True,
        )
        self._closing = contextlib.ExitStack()
        self._closing.callback(self._connection.close)

    @functools.cached_property
    def encryption(self) -> FieldEncryption | None:
        """The encryption that the options name; ``None`` without ``--kms-providers``."""
        return field_encryption(self._options)

    @property
    def collection(self) -> Collection[Document]:
        """The collection, with secrets as they are stored."""
        return self._connection.collection

    @property
    def key_vault_name(self) -> str:
        """The name of the collection of the data keys, without its database."""
        return self._options.key_vault.partition(".")[2]

    def repository(self, *, idle: Index | None = None) -> TokenRepository:
        """Open the tokens, with secrets in plain text. No index is created implicitly.

        Args:
            idle: The TTL index that ``ensure_indexes`` creates. Default: it drops an existing one.

        Returns:
            The repository. It is closed with this context.
        """
        repository = TokenRepository(
            self._connection,
            timeout=TIMEOUT,
            idle=idle,
            create_indexes=False,
            encryption=self.encryption,
        )
        return self._closing.enter_context(contextlib.closing(repository))

    @property
    def warnings(self) -> list[str]:
        """One text for each option of the URI that was left out."""
        return self._connection.warnings

    @property
    def secrets(self) -> list[str]:
        """What no output may show: the passwords in the URI."""
        return self._connection.secrets

    def __enter__(self) -> "CommandContext":
        """Return this context."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the repository and the client."""
        self._closing.close()
