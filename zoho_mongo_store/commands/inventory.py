"""Reads what is stored, and which refreshes are under way or held off."""

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
"""The field that leads to a new access token, and its value as it is stored."""


class Inventory:
    """The stored tokens and the state that they were in when this was made.

    Documents are read as they are stored. Only of the few whose login is over or whose refresh is
    held off the secrets are decrypted, to tell whether that is still about the same credential.

    A lease, and what is stored of a login that is over, name one token. They hold for every token
    with the same credential, which is found by an index: a value is encrypted to the same bytes in
    each document, but for one that is written by another data key, or in plain still.

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
        """Summarize the tokens whose users must log in again, found by indexes."""
        return (one for one in self.failing() if one.state is TokenState.LOGIN_REQUIRED)

    def failing(self) -> Iterator[TokenSummary]:
        """Summarize the tokens that Zoho gives no access token for, found by indexes."""
        held_off = {
            key
            for key, leases in self._leases.items()
            if any(lease.state.owner is None for lease in leases)
        }
        found = map(self.summarize, self._holding(held_off | self._ended.keys()))
        return (token for token in found if token.state.is_failing)

    def by_ids(self, ids: Iterable[str]) -> dict[str, TokenSummary]:
        """Summarize the tokens with these ids; what is not stored is left out."""
        return {token.id: token for token in map(self.summarize, self._read("id", list(ids)))}

    def find(self, filter: dict[str, Any]) -> tuple[TokenSummary, Document] | None:
        """Find one token by an equality: its summary and its document."""
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
        """How many refreshes are under way."""
        now = self.clock()
        states = [lease.state for lease in self._busy]
        return sum(state.owner is not None and state.until > now for state in states)

    def _note_troubles(self) -> None:
        """Note by credential which leases there are, and which logins are over."""
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
            # A grant token counts only where there is no refresh token.
            yield from (one for one in self._read(field, values) if _key(one)[0] == field)

    def _read(self, field: str, values: list[Any]) -> Iterator[Document]:
        for start in range(0, len(values), _PAGE):
            with pymongo.timeout(TIMEOUT):
                wanted = {field: {"$in": values[start : start + _PAGE]}}
                found = list(self._tokens.collection.find(wanted))
            yield from found

    def _in_plain(self, document: Document) -> Document:
        """Decrypt a document; it stays as it is if it is in plain, damaged or gone."""
        if not any(is_encrypted(document.get(field)) for field in CREDENTIAL_FIELDS):
            return document
        try:
            return self._tokens.find([{"_id": document["_id"]}]) or document
        except UnreadableError:
            return document


def _key(document: Document) -> Key:
    """Tell by what a token gets its next access token; its id where it has nothing to redeem."""
    for redemption in Redemption:
        value = document.get(redemption.credential)
        if value and isinstance(value, str | bytes):
            return redemption.credential, value
    return "id", str(document.get("id"))


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
