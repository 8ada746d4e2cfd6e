"""Reads what is stored, and which refreshes are under way or held off."""

import contextlib
from collections.abc import Iterator
from typing import Any

from zoho_mongo_store.commands.context import TIMEOUT
from zoho_mongo_store.commands.token_summary import TokenSummary, summarize, summarize_unreadable
from zoho_mongo_store.encryption.cipher import UnreadableError
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.refresh.lease import LeaseState, lease_key
from zoho_mongo_store.refresh.leases import Leases
from zoho_mongo_store.refresh.policy import DEFAULT_POLICY
from zoho_mongo_store.sdk import Redemption
from zoho_mongo_store.storage.repository import TokenRepository

_PAGE = 1000


class Inventory:
    """The stored tokens and the state that they were in when this was made.

    Attributes:
        clock: The server's time, which is asked for once.
    """

    def __init__(self, tokens: TokenRepository) -> None:
        """Read the server's clock and the few leases that matter.

        Args:
            tokens: The repository to read.
        """
        self._tokens = tokens
        self._leases = Leases(tokens.leases, TIMEOUT, DEFAULT_POLICY)
        self.clock = self._leases.clock()
        self._busy = self._leases.busy(self.clock())

    def all(self) -> Iterator[TokenSummary]:
        """Summarize every stored token. They are read in pages."""
        with contextlib.closing(self._tokens.scan(_PAGE)) as scan:
            while True:
                try:
                    document = scan.next()
                except UnreadableError as error:
                    yield summarize_unreadable(str(error))
                    continue
                if document is None:
                    return
                yield self.summarize(document)

    def find(self, filter: dict[str, Any]) -> tuple[TokenSummary, Document] | None:
        """Find one token by an equality: its summary and its document."""
        document = self._tokens.find([filter])
        return None if document is None else (self.summarize(document), document)

    def summarize(self, document: Document) -> TokenSummary:
        """Summarize a stored document."""
        return summarize(document, self._lease(document), self.clock())

    def _lease(self, document: Document) -> LeaseState | None:
        for redemption in Redemption:
            credential = document.get(redemption.credential)
            if isinstance(credential, str):
                key = lease_key(redemption.credential, credential)
                if key in self._busy:
                    return self._leases.read(key)
        return None
