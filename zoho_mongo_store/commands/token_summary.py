"""A stored token as an operator sees it: its user and its state, without any secret."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from zoho_mongo_store.commands.durations import format_duration
from zoho_mongo_store.commands.token_state import Leases, TokenState, condition_of
from zoho_mongo_store.model.document import Document

# By the end of the API's domain (the SDK's dc/*_data_center.py).
_DATA_CENTRES = {
    "com": "US",
    "eu": "EU",
    "in": "IN",
    "com.cn": "CN",
    "com.au": "AU",
    "jp": "JP",
    "ca": "CA",
    "sa": "SA",
}


class TokenSummary(NamedTuple):
    """One stored token.

    Attributes:
        id: The token's id; empty if it has none.
        user: The name of its user; ``None`` if it has none.
        state: Its state.
        expires_at: When its access token expires; ``None`` if that is unknown or there is none.
        data_centre: The data centre, such as ``EU``, or the domain of the API if it is not Zoho's.
        updated_at: When it was last saved.
        reason: Why Zoho issues no access token for it, or why it cannot be read; else empty.
        since: When that was found out.
        retry_after: When Zoho may be asked again; ``None`` if it may be asked now, or if the user
            has to log in again.
    """

    id: str
    user: str | None
    state: TokenState
    expires_at: datetime | None
    data_centre: str | None
    updated_at: datetime | None
    reason: str = ""
    since: datetime | None = None
    retry_after: datetime | None = None

    @property
    def sort_key(self) -> tuple[bool, str, str]:
        """Sorts tokens by user, those without a user last, then by id."""
        return self.user is None, self.user or "", self.id

    def describe_state(self, now: datetime) -> str:
        """Describe the state in words, with how long it will last."""
        if self.retry_after is not None:
            return f"{self.state.value} for {format_duration(self.retry_after - now)}"
        if self.state is TokenState.VALID and self.expires_at is not None:
            return f"valid for {format_duration(self.expires_at - now)}"
        if self.state is TokenState.VALID:
            return "valid, expiry unknown"
        return str(self.state.value)

    def expires_within(self, length: timedelta, now: datetime) -> bool:
        """Whether its access token has expired, or will expire within ``length``."""
        return self.expires_at is not None and self.expires_at <= now + length

    def as_json(self, now: datetime) -> dict[str, Any]:
        """Return its values for JSON, with durations in seconds."""
        valid_for = None if self.expires_at is None else (self.expires_at - now).total_seconds()
        return {
            "id": self.id,
            "user": self.user,
            "state": self.state.value,
            "expires_at": self.expires_at,
            "valid_for": None if valid_for is None else max(0, round(valid_for)),
            "reason": self.reason or None,
            "since": self.since,
            "retry_after": self.retry_after,
            "data_centre": self.data_centre,
            "updated_at": self.updated_at,
        }


def summarize(document: Document, leases: Leases, now: datetime) -> TokenSummary:
    """Summarize a stored document.

    Args:
        document: The document, with its secrets in plain text or encrypted.
        leases: The leases on its credentials that are held, cooling down or at Zoho's limit.
        now: The server's time.

    Returns:
        Its summary.
    """
    expires_at = _of_type(document.get("expiry_time"), datetime)
    condition = condition_of(document, leases, now)
    return TokenSummary(
        id=str(document.get("id", "")),
        user=_of_type(document.get("user_name"), str),
        state=condition.state,
        expires_at=expires_at if document.get("access_token") else None,
        data_centre=data_centre_of(_of_type(document.get("api_domain"), str)),
        updated_at=_of_type(document.get("updated_at"), datetime),
        reason=condition.reason,
        since=condition.since,
        retry_after=condition.retry_after,
    )


@cache
def data_centre_of(api_domain: str | None) -> str | None:
    """Return the data centre of an API domain, or the domain itself if it is not Zoho's."""
    if api_domain is None:
        return None
    domain = urlsplit(api_domain).netloc or api_domain
    return _DATA_CENTRES.get(domain.partition(".zohoapis.")[2], domain)


def _of_type(value: Any, kind: type) -> Any:
    return value if isinstance(value, kind) else None
