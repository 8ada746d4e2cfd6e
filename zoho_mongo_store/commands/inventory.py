"""Reads the stored tokens, and which refreshes are in progress or held off."""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pymongo

from zoho_mongo_store.commands.context import TIMEOUT
from zoho_mongo_store.commands.token_state import TokenState
from zoho_mongo_store.commands.token_summary import TokenSummary, summarize
from zoho_mongo_store.encryption.cipher import UnreadableError, is_encrypted
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, Document
from zoho_mongo_store.model.login_state import (
    LOGIN_REQUIRED_FIELDS,
    LOGIN_REQUIRED_FOR,
    LOGIN_REQUIRED_SINCE,
)
from zoho_mongo_store.redemption import Redemption
from zoho_mongo_store.refresh.lease import BusyLease, LeaseState, lease_key
from zoho_mongo_store.refresh.leases import Leases
from zoho_mongo_store.refresh.policy import DEFAULT_POLICY
from zoho_mongo_store.storage.repository import TokenRepository
from zoho_mongo_store.storage.scan import Scan

_PAGE = 1000

Key = tuple[str, Any]
"""The field with which a token gets a new access token, and its stored value."""


class Inventory:
    """The stored tokens and their states at the time of creation.

    Documents are read as they are stored. Secrets are decrypted only for the few documents whose
    login is over or whose refresh is held off, to check that this still concerns their credential.

    A lease, or the record that a login is over, names one token but applies to every token with the
    same credential. These are found with an index: a value is encrypted to the same bytes in every
    document, except for one written with another data key or still in plain text.

    Attributes:
        clock: The server's time, which is asked for once.
    """

    def __init__(self, tokens: TokenRepository) -> None:
        """Read the server's clock and the leases that are held or cooling down.

        Args:
            tokens: The repository to read from.
        """
        self._tokens = tokens
        leases = Leases(tokens.leases, TIMEOUT, DEFAULT_POLICY)
        self.clock = leases.clock()
        self._busy = list(leases.busy(self.clock()))
        self._leases: dict[Key, list[BusyLease]] = defaultdict(list)
        self._ended: dict[Key, Document] = {}
        self._note_troubles()

    def all(self) -> Iterator[TokenSummary]:
        """Summarize every stored token. They are read in pages."""
        scan = Scan(self._tokens.collection, _PAGE, TIMEOUT, _ignore)
        with contextlib.closing(scan):
            while (document := scan.next()) is not None:
                yield self.summarize(document)

    def login_required(self) -> Iterator[TokenSummary]:
        """Summarize the tokens whose users have to log in again, found with indexes."""
        return (one for one in self.failing() if one.state is TokenState.LOGIN_REQUIRED)

    def failing(self) -> Iterator[TokenSummary]:
        """Summarize the tokens for which Zoho issues no access token, found with indexes."""
        held_off = {
            key
            for key, leases in self._leases.items()
            if any(lease.state.owner is None for lease in leases)
        }
        found = map(self.summarize, self._holding(held_off | self._ended.keys()))
        return (token for token in found if token.state.is_failing)

    def by_ids(self, ids: Iterable[str]) -> dict[str, TokenSummary]:
        """Summarize the tokens with these ids, leaving out those that are not stored."""
        return {token.id: token for token in map(self.summarize, self._read("id", list(ids)))}

    def find(self, filter: dict[str, Any]) -> tuple[TokenSummary, Document] | None:
        """Find one token by an equality. Returns its summary and its document."""
        document = self._tokens.find([filter])
        return None if document is None else (self.summarize(document), document)

    def summarize(self, document: Document) -> TokenSummary:
        """Summarize a stored document."""
        key = _key(document)
        leases, ended = self._leases.get(key, []), self._ended.get(key, {})
        if leases or ended or LOGIN_REQUIRED_FOR in document:
            document = {**ended, **self._in_plain(document)}
        return summarize(document, _by_redemption(document, leases), self.clock())

    @property
    def refreshing(self) -> int:
        """The number of refreshes in progress."""
        now = self.clock()
        states = [lease.state for lease in self._busy]
        return sum(state.owner is not None and state.until > now for state in states)

    def _note_troubles(self) -> None:
        """Record the leases and the logins that are over, by credential."""
        by_id: dict[str | None, list[BusyLease]] = defaultdict(list)
        for lease in self._busy:
            by_id[lease.token_id].append(lease)
        for document in self._read("id", [id for id in by_id if id is not None]):
            self._leases[_key(document)] += by_id[document["id"]]
        with pymongo.timeout(TIMEOUT):
            for document in self._tokens.collection.find({LOGIN_REQUIRED_SINCE: {"$exists": True}}):
                known = document.keys() & LOGIN_REQUIRED_FIELDS
                self._ended[_key(document)] = {field: document[field] for field in known}

    def _holding(self, keys: Iterable[Key]) -> Iterator[Document]:
        """Read the tokens with these credentials, each once."""
        by_field: dict[str, list[Any]] = defaultdict(list)
        for field, value in keys:
            by_field[field].append(value)
        for field, values in by_field.items():
            # A grant token counts only if there is no refresh token.
            yield from (one for one in self._read(field, values) if _key(one)[0] == field)

    def _read(self, field: str, values: list[Any]) -> Iterator[Document]:
        for start in range(0, len(values), _PAGE):
            with pymongo.timeout(TIMEOUT):
                wanted = {field: {"$in": values[start : start + _PAGE]}}
                found = list(self._tokens.collection.find(wanted))
            yield from found

    def _in_plain(self, document: Document) -> Document:
        """Decrypt a document. It is returned unchanged if it is in plain text, damaged or gone."""
        if not any(is_encrypted(document.get(field)) for field in CREDENTIAL_FIELDS):
            return document
        try:
            return self._tokens.find([{"_id": document["_id"]}]) or document
        except UnreadableError:
            return document


def _key(document: Document) -> Key:
    """Return the credential for a token's next access token, or its id if it has none."""
    for redemption in Redemption:
        value = document.get(redemption.credential)
        if value and isinstance(value, str | bytes):
            return redemption.credential, value
    return "id", str(document.get("id"))


def _by_redemption(document: Document, leases: list[BusyLease]) -> dict[Redemption, LeaseState]:
    """Sort the leases that were taken for a token by its credentials."""
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
            # Without the keys it is not known whether a lease is for this credential.
            return {redemption: leases[0].state}
    return found


def _ignore(_: float) -> None:
    """Do nothing about an outage: this reads once, and nothing else waits."""
