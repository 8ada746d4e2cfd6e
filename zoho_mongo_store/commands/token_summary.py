"""A stored token as an operator sees it: whose it is, and its state. Nothing is secret."""

from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from zoho_mongo_store.commands.durations import format_duration
from zoho_mongo_store.encryption.cipher import is_encrypted
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, Document, from_document
from zoho_mongo_store.refresh.lease import LeaseState
from zoho_mongo_store.sdk import DataCenter, SDKException

# By accounts server (the SDK's dc/*_data_center.py, get_iam_url).
_DATA_CENTRES = {
    "accounts.zoho.com": "US",
    "accounts.zoho.eu": "EU",
    "accounts.zoho.in": "IN",
    "accounts.zoho.com.cn": "CN",
    "accounts.zoho.com.au": "AU",
    "accounts.zoho.jp": "JP",
    "accounts.zohocloud.ca": "CA",
    "accounts.zoho.sa": "SA",
}


class TokenState(Enum):
    """What a token is good for."""

    VALID = "valid"
    EXPIRED = "expired"
    REFRESHING = "refreshing"
    COOLING_DOWN = "cooling down"
    NO_ACCESS_TOKEN = "no access token"  # noqa: S105 - a state's name
    DAMAGED = "damaged"


class TokenSummary(NamedTuple):
    """One stored token.

    Attributes:
        id: The token's id; empty if it cannot be read.
        user: The name of its user; ``None`` if it has none.
        state: What it is good for.
        expires_at: When its access token expires; ``None`` if that is unknown, or it has none.
        retry_after: While it is cooling down: when Zoho may be asked again.
        data_centre: The data centre, such as ``EU``, or the domain of the API if it is not Zoho's.
        updated_at: When it was last saved.
        lease: Its lease, if it is held, cooling down or at Zoho's limit.
        damage: Why it cannot be read; empty if it can.
    """

    id: str
    user: str | None
    state: TokenState
    expires_at: datetime | None
    retry_after: datetime | None
    data_centre: str | None
    updated_at: datetime | None
    lease: LeaseState | None
    damage: str = ""

    @property
    def sort_key(self) -> tuple[bool, str, str]:
        """Sorts tokens by user, those without one last, then by id."""
        return self.user is None, self.user or "", self.id

    def describe_state(self, now: datetime) -> str:
        """Say its state in words, with how long it lasts."""
        if self.state is TokenState.COOLING_DOWN and self.retry_after is not None:
            return f"cooling down for {format_duration(self.retry_after - now)}"
        if self.state is TokenState.VALID and self.expires_at is not None:
            return f"valid for {format_duration(self.expires_at - now)}"
        if self.state is TokenState.VALID:
            return "valid, expiry unknown"
        return f"{self.state.value}: {self.damage}" if self.damage else self.state.value

    def expires_within(self, length: timedelta, now: datetime) -> bool:
        """Tell whether its access token has expired, or will within ``length``."""
        return self.expires_at is not None and self.expires_at <= now + length

    def as_json(self, now: datetime) -> dict[str, Any]:
        """Return its values for JSON, with lengths of time in seconds."""
        valid_for = None if self.expires_at is None else (self.expires_at - now).total_seconds()
        return {
            "id": self.id,
            "user": self.user,
            "state": self.state.value,
            "expires_at": self.expires_at,
            "valid_for": None if valid_for is None else max(0, round(valid_for)),
            "retry_after": self.retry_after,
            "data_centre": self.data_centre,
            "updated_at": self.updated_at,
        }


def summarize(document: Document, lease: LeaseState | None, now: datetime) -> TokenSummary:
    """Summarize a stored document.

    Args:
        document: The document, with its secrets in plain or encrypted.
        lease: The lease on one of its credentials, if there is one that matters.
        now: The server's time.

    Returns:
        Its summary.
    """
    damage = _find_damage(document)
    expires_at = _of_type(document.get("expiry_time"), datetime)
    state = TokenState.DAMAGED if damage else _state(document, expires_at, lease, now)
    is_cooling = lease is not None and state is TokenState.COOLING_DOWN
    return TokenSummary(
        id=str(document.get("id", "")),
        user=_of_type(document.get("user_name"), str),
        state=state,
        expires_at=expires_at if document.get("access_token") else None,
        retry_after=lease.retry_after if lease is not None and is_cooling else None,
        data_centre=_data_centre(_of_type(document.get("api_domain"), str)),
        updated_at=_of_type(document.get("updated_at"), datetime),
        lease=lease,
        damage=damage,
    )


def summarize_unreadable(reason: str) -> TokenSummary:
    """Summarize a document that cannot be decrypted, by the reason alone."""
    return TokenSummary("", None, TokenState.DAMAGED, None, None, None, None, None, reason)


def _data_centre(api_domain: str | None) -> str | None:
    """Name the data centre of an API domain; the domain itself if it is not Zoho's."""
    if api_domain is None:
        return None
    environment = DataCenter.get(api_domain)
    accounts = None if environment is None else urlsplit(environment.accounts_url).hostname
    return _DATA_CENTRES.get(accounts or "", urlsplit(api_domain).netloc or api_domain)


def _find_damage(document: Document) -> str:
    """Say why no token can be made of a document. Encrypted secrets are taken to be good."""
    plain = {name: "-" if is_encrypted(value) else value for name, value in document.items()}
    if not any(field in document for field in CREDENTIAL_FIELDS):
        return f"the document {document.get('_id')!r} has no access, refresh or grant token"
    try:
        from_document(plain)
    except StoreError as error:
        return str(error)
    except SDKException as error:
        return f"the SDK refuses the document {document.get('_id')!r} ({error.code})"
    return ""


def _state(
    document: Document, expires_at: datetime | None, lease: LeaseState | None, now: datetime
) -> TokenState:
    if lease is not None and lease.owner is not None and lease.until > now:
        return TokenState.REFRESHING
    if lease is not None and lease.retry_after > now:
        return TokenState.COOLING_DOWN
    if not document.get("access_token"):
        return TokenState.NO_ACCESS_TOKEN
    is_expired = expires_at is not None and expires_at <= now
    return TokenState.EXPIRED if is_expired else TokenState.VALID


def _of_type(value: Any, kind: type) -> Any:
    return value if isinstance(value, kind) else None
