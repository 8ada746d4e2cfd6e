"""The state of a stored token, from its document and the leases on its credentials."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from zoho_mongo_store.encryption.cipher import is_encrypted
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import (
    CREDENTIAL_FIELDS,
    SECRET_FIELDS,
    Document,
    check_document,
)
from zoho_mongo_store.model.login_state import (
    LOGIN_REQUIRED_FOR,
    LOGIN_REQUIRED_REASON,
    LOGIN_REQUIRED_SINCE,
    is_login_required,
)
from zoho_mongo_store.redemption import Redemption
from zoho_mongo_store.refresh.lease import LeaseState

Leases = Mapping[Redemption, LeaseState]


class TokenState(Enum):
    """The state of a token, in the order in which states need somebody's attention."""

    LOGIN_REQUIRED = "login required"
    AT_LIMIT = "at Zoho's limit"
    COOLING_DOWN = "cooling down"
    DAMAGED = "damaged"
    NO_ACCESS_TOKEN = "no access token"  # noqa: S105 - a state's name
    EXPIRED = "expired"
    REFRESHING = "refreshing"
    VALID = "valid"

    @property
    def is_failing(self) -> bool:
        """Whether Zoho issues no access token for it now."""
        return self in _FAILING

    @property
    def rank(self) -> int:
        """Its place in the order of attention, starting at 0."""
        return list(TokenState).index(self)


_FAILING = (TokenState.LOGIN_REQUIRED, TokenState.AT_LIMIT, TokenState.COOLING_DOWN)
_LIMIT = "Zoho was asked 10 times in 10 minutes, which is its limit"


class Condition(NamedTuple):
    """A state, and what is known about it.

    Attributes:
        state: The state.
        reason: Why Zoho issues no access token, or why the document cannot be read; else empty.
        since: When Zoho last refused.
        retry_after: When Zoho may be asked again.
    """

    state: TokenState
    reason: str = ""
    since: datetime | None = None
    retry_after: datetime | None = None


def condition_of(document: Document, leases: Leases, now: datetime) -> Condition:
    """Work out the state of a token.

    Args:
        document: Its document, with secrets in plain text or encrypted.
        leases: The leases on its credentials that are held, cooling down or at Zoho's limit.
        now: The server's time.
    """
    damage = find_damage(document)
    if damage:
        return Condition(TokenState.DAMAGED, damage)
    if any(one.owner is not None and one.until > now for one in leases.values()):
        return Condition(TokenState.REFRESHING)
    if _needs_login(document):
        reason, since = document.get(LOGIN_REQUIRED_REASON, ""), document.get(LOGIN_REQUIRED_SINCE)
        return Condition(TokenState.LOGIN_REQUIRED, reason, since)
    # The lease on a grant token matters only until there is a refresh token.
    redemption = Redemption.REFRESH if "refresh_token" in document else Redemption.GRANT
    lease = leases.get(redemption)
    if lease is not None and lease.retry_after > now:
        return _held_off(lease)
    if not document.get("access_token"):
        return Condition(TokenState.NO_ACCESS_TOKEN)
    expires_at = document.get("expiry_time")
    is_expired = expires_at is not None and expires_at <= now
    return Condition(TokenState.EXPIRED if is_expired else TokenState.VALID)


def find_damage(document: Document) -> str:
    """Say why a document is not a valid token. Encrypted secrets are assumed to be valid."""
    if not any(field in document for field in CREDENTIAL_FIELDS):
        return f"the document {document.get('_id')!r} has no access, refresh or grant token"
    try:
        check_document(_legible(document) if _is_encrypted(document) else document)
    except StoreError as error:
        return str(error)
    return ""


def _held_off(lease: LeaseState) -> Condition:
    """Say what keeps Zoho from being asked: its own limit, or the last failure."""
    failure, retry_after = lease.failure, lease.retry_after
    if failure is None or lease.limited_until == retry_after:
        return Condition(TokenState.AT_LIMIT, _LIMIT, lease.limited_since, retry_after)
    if failure.login_required:
        return Condition(TokenState.LOGIN_REQUIRED, failure.message, lease.failed_at)
    return Condition(TokenState.COOLING_DOWN, failure.message, lease.failed_at, retry_after)


def _needs_login(document: Document) -> bool:
    """Whether the user has to log in again. If secrets are encrypted, the record is trusted."""
    if LOGIN_REQUIRED_FOR not in document:
        return False
    return _is_encrypted(document) or is_login_required(document)


def _is_encrypted(document: Document) -> bool:
    return any(map(is_encrypted, map(document.get, SECRET_FIELDS)))


def _legible(document: Document) -> Document:
    return {name: "-" if is_encrypted(value) else value for name, value in document.items()}
