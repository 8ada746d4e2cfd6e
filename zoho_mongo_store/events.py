"""Reports what happens to tokens to a function of the application."""

import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from zoho_mongo_store.signals import raised_by_handler

logger = logging.getLogger("zoho_mongo_store")

EventName = Literal[
    "refreshed",
    "refresh_refused",
    "refresh_unreachable",
    "refresh_paused",
    "took_over",
    "login",
    "login_required",
    "login_restored",
    "save_kept",
    "save_written",
    "save_lost",
    "outage_began",
    "outage_ended",
]


@dataclass(frozen=True, kw_only=True)
class TokenEvent:
    """Something that has happened. It never contains a token or a client secret.

    Attributes:
        name: What happened: ``"refreshed"``, ``"refresh_refused"`` (Zoho answered without a token),
            ``"refresh_unreachable"`` (no answer, or an unusable one), ``"refresh_paused"`` (Zoho
            was not asked, because a failure was too recent or its limit has been reached),
            ``"took_over"`` (another process's lease had expired), ``"login"`` (a token was stored
            for the first time, or Zoho accepted a login that replaces a stored one),
            ``"login_required"`` (the user has to log in again), ``"login_restored"``,
            ``"save_kept"``, ``"save_written"``, ``"save_lost"``, ``"outage_began"`` or
            ``"outage_ended"``.
        id: The id of the token, if one is stored.
        user_name: The name of the token's user, if known.
        client_id: The OAuth client that the token belongs to, if known.
        reason: The reason, without any secret.
        duration: How long it took: for a request, from sending it to its end.
        attempt: The number of this request since the last successful one, starting at 1.
        at: When it happened, as an aware ``datetime`` in UTC.
    """

    name: EventName
    id: str | None = None
    user_name: str | None = None
    client_id: str | None = None
    reason: str | None = None
    duration: timedelta | None = None
    attempt: int | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Events:
    """Passes events to the application's handler, and survives whatever the handler does.

    Emit an event after the change it reports has been stored, and without holding a lock: the
    handler may call the store.

    Args:
        handler: Called with each ``TokenEvent``. ``None``: events are dropped.
    """

    def __init__(self, handler: Callable[[TokenEvent], object] | None = None) -> None:
        self._handler = handler

    def emit(
        self,
        name: EventName,
        document: Mapping[str, Any] | None = None,
        *,
        reason: str | None = None,
        duration: timedelta | None = None,
        attempt: int | None = None,
    ) -> None:
        """Call the handler. An exception that it raises is logged at ERROR and not passed on.

        An exception raised meanwhile by a signal's handler is passed on unchanged.

        Args:
            name: See ``TokenEvent``.
            document: The token's document or its fields. The event takes the id, the user name and
                the client id from it.
            reason: The reason, without any secret.
            duration: How long it took.
            attempt: The number of the request.
        """
        if self._handler is None:
            return
        told = {} if document is None else document
        event = TokenEvent(
            name=name,
            id=told.get("id"),
            user_name=told.get("user_name"),
            client_id=told.get("client_id"),
            reason=reason,
            duration=duration,
            attempt=attempt,
        )
        handled = sys.exception()
        try:
            self._handler(event)
        except Exception as error:
            if raised_by_handler(error, handled) is not None:
                raise
            # Not its text, which may quote anything, nor a traceback, whose frames hold tokens.
            logger.error("on_event raised %s for the event %s", type(error).__name__, name)
