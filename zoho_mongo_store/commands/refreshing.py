"""Refreshes one token, and reports the result."""

from datetime import datetime
from typing import Any, NamedTuple

from zoho_mongo_store.commands.context import TIMEOUT
from zoho_mongo_store.commands.durations import format_duration
from zoho_mongo_store.commands.inventory import Inventory
from zoho_mongo_store.commands.output import format_date
from zoho_mongo_store.commands.token_state import TokenState
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.token import from_document
from zoho_mongo_store.redemption import Redemption
from zoho_mongo_store.refresh.coordinator import Coordinator
from zoho_mongo_store.refresh.errors import LoginRequiredError, RefreshPausedError
from zoho_mongo_store.refresh.policy import DEFAULT_POLICY
from zoho_mongo_store.refresh.stats import RefreshStats
from zoho_mongo_store.sdk import default_initializer, using
from zoho_mongo_store.storage.repository import TokenRepository

_REFRESHED = "refreshed"
_BY_ANOTHER = "refreshed by another process"
_REFUSED = "refused"
_UNREACHABLE = "Zoho cannot be reached"
_STATES = {TokenState.REFRESHING: "another process is refreshing"}


class Outcome(NamedTuple):
    """The result of a refresh.

    Attributes:
        result: The result in a few words: ``refreshed``, ``refused``, ``login required``, ...
        now: The server's time after the refresh.
        expires_at: When the new access token expires; ``None`` if unknown or if there is none.
        reason: Why there is none, without any secret; otherwise empty.
        since: Since when there has been none; ``None`` if Zoho was asked now.
        retry_after: When Zoho may be asked again.
    """

    result: str
    now: datetime
    expires_at: datetime | None = None
    reason: str = ""
    since: datetime | None = None
    retry_after: datetime | None = None

    @property
    def has_token(self) -> bool:
        """Whether there is a new access token."""
        return self.result in (_REFRESHED, _BY_ANOTHER)

    def as_json(self) -> dict[str, Any]:
        """Return its values for JSON."""
        return {
            "result": self.result,
            "expires_at": self.expires_at,
            "reason": self.reason or None,
            "since": self.since,
            "retry_after": self.retry_after,
        }

    def __str__(self) -> str:
        if self.has_token:
            if self.expires_at is None:
                return self.result
            valid = format_duration(self.expires_at - self.now)
            return f"{self.result}, valid for {valid}, until {format_date(self.expires_at)} UTC"
        since = f" since {format_date(self.since)} UTC" if self.since else ""
        return f"{self.result}{since}: {self.reason}"


def refresh_now(tokens: TokenRepository, stored: Document, url: str) -> Outcome:
    """Get a new access token for a stored token, by the same rules as the whole fleet.

    Args:
        tokens: The stored tokens.
        stored: The token's document, which has a refresh token.
        url: The URL at which Zoho redeems it.

    Returns:
        The result.

    Raises:
        SDKException: MongoDB failed; without it nobody may ask Zoho.
    """
    coordinator = Coordinator(tokens, DEFAULT_POLICY)
    token = from_document(stored)
    result, reason = "", ""
    try:
        with using(default_initializer()):
            coordinator.redeem(token, Redemption.REFRESH, url)
    except LoginRequiredError as error:
        result, reason = "login required", str(error.error_message)
    except RefreshPausedError as error:
        reason = str(error.error_message)
    finally:
        coordinator.close(TIMEOUT)
    result = result or _result(coordinator.stats())
    inventory = Inventory(tokens)
    now = inventory.clock()
    found = inventory.find({"id": stored["id"]})
    if found is None:
        return Outcome(
            "deleted meanwhile", now, reason=reason or "the token is not stored any more"
        )
    summary, _ = found
    if not reason:
        return Outcome(result, now, summary.expires_at)
    since = None if result in (_REFUSED, _UNREACHABLE) else summary.since
    # If there is no result yet, report the state that kept Zoho from being asked.
    result = result or _STATES.get(summary.state, summary.state.value)
    return Outcome(result, now, None, reason, since, summary.retry_after)


def _result(stats: RefreshStats) -> str:
    """Return the outcome that was counted, in a few words; empty if Zoho was not asked."""
    if stats.refreshed or stats.took_over:
        return _REFRESHED
    if stats.waited or stats.late:
        return _BY_ANOTHER
    if stats.refused:
        return _REFUSED
    return _UNREACHABLE if stats.unreachable else ""
