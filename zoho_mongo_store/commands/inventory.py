"""Reads what is stored, and which refreshes are under way or held off."""

import contextlib
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

import pymongo

from zoho_mongo_store.commands.context import TIMEOUT
from zoho_mongo_store.commands.token_state import TokenState
from zoho_mongo_store.commands.token_summary import TokenSummary, summarize
from zoho_mongo_store.encryption.cipher import UnreadableError, is_encrypted
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, Document
from zoho_mongo_store.model.login_state import LOGIN_REQUIRED_FOR, LOGIN_REQUIRED_SINCE
from zoho_mongo_store.redemption import Redemption
from zoho_mongo_store.refresh.lease import BusyLease, LeaseState, lease_key
from zoho_mongo_store.refresh.leases import Leases
from zoho_mongo_store.refresh.policy import DEFAULT_POLICY
from zoho_mongo_store.storage.repository import TokenRepository
from zoho_mongo_store.storage.scan import Scan

_PAGE = 1000


class Inventory:
    """The stored tokens and the state that they were in when this was made.

    Documents are read as they are stored. Only of the few whose login is over or whose refresh is
    held off the secrets are decrypted, to tell whether that is still about the same credential.

    Attributes:
        clock: The server's time, which is asked for once.
    """

    def __init__(self, tokens: TokenRepository) -> None:
        """Read the server's clock and the few leases that matter.

        Args:
            tokens: The repository to read.
        """
        self._tokens = tokens
        leases = Leases(tokens.leases, TIMEOUT, DEFAULT_POLICY)
        self.clock = leases.clock()
        self._leases: dict[str | None, list[BusyLease]] = defaultdict(list)
        for lease in leases.busy(self.clock()):
            self._leases[lease.token_id].append(lease)

    def all(self) -> Iterator[TokenSummary]:
        """Summarize every stored token. They are read in pages."""
        scan = Scan(self._tokens.collection, _PAGE, TIMEOUT, _ignore)
        with contextlib.closing(scan):
            while (document := scan.next()) is not None:
                yield self.summarize(document)

    def login_required(self) -> Iterator[TokenSummary]:
        """Summarize the tokens whose users must log in again, found by an index."""
        marked = self._read({LOGIN_REQUIRED_SINCE: {"$exists": True}})
        return (token for token in marked if token.state is TokenState.LOGIN_REQUIRED)

    def failing(self) -> Iterator[TokenSummary]:
        """Summarize the tokens that Zoho gives no access token for, found by indexes."""
        seen = set()
        for token in self.login_required():
            seen.add(token.id)
            yield token
        held_off = {
            lease.token_id
            for leases in self._leases.values()
            for lease in leases
            if lease.token_id not in seen and lease.state.owner is None
        }
        found = self.by_ids({id for id in held_off if id is not None})
        yield from (token for token in found.values() if token.state.is_failing)

    def by_ids(self, ids: Collection[str]) -> dict[str, TokenSummary]:
        """Summarize the tokens with these ids; what is not stored is left out."""
        found = self._read({"id": {"$in": list(ids)}}) if ids else []
        return {token.id: token for token in found}

    def find(self, filter: dict[str, Any]) -> tuple[TokenSummary, Document] | None:
        """Find one token by an equality: its summary and its document."""
        document = self._tokens.find([filter])
        return None if document is None else (self.summarize(document), document)

    def summarize(self, document: Document) -> TokenSummary:
        """Summarize a stored document."""
        leases = self._leases.get(document.get("id"), [])
        if leases or LOGIN_REQUIRED_FOR in document:
            document = self._in_plain(document)
        return summarize(document, _by_redemption(document, leases), self.clock())

    @property
    def refreshing(self) -> int:
        """How many refreshes are under way."""
        now = self.clock()
        states = [lease.state for leases in self._leases.values() for lease in leases]
        return sum(state.owner is not None and state.until > now for state in states)

    def _read(self, filter: dict[str, Any]) -> list[TokenSummary]:
        with pymongo.timeout(TIMEOUT):
            documents = list(self._tokens.collection.find(filter))
        return [self.summarize(document) for document in documents]

    def _in_plain(self, document: Document) -> Document:
        """Decrypt a document; it stays as it is if it is in plain, damaged or gone."""
        if not any(is_encrypted(document.get(field)) for field in CREDENTIAL_FIELDS):
            return document
        try:
            return self._tokens.find([{"_id": document["_id"]}]) or document
        except UnreadableError:
            return document


def _by_redemption(document: Document, leases: list[BusyLease]) -> dict[Redemption, LeaseState]:
    """Sort the leases that were taken for a token by which of its credentials they are about."""
    found: dict[Redemption, LeaseState] = {}
    if not leases:
        return found
    for redemption in Redemption:
        credential = document.get(redemption.credential)
        if isinstance(credential, str):
            key = lease_key(redemption.credential, credential)
            for lease in leases:
                if lease.key == key:
                    found[redemption] = lease.state
        elif is_encrypted(credential):
            # Without the keys nothing tells whether a lease is about this credential.
            return {redemption: leases[0].state}
    return found


def _ignore(_: float) -> None:
    """Note no outage: this reads once, and nothing else waits."""
