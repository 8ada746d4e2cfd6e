"""What happens to the tokens, told to a function of the application's."""

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
    """Something that has happened. It never holds a token or a client secret.

    Attributes:
        name: what happened: ``"refreshed"``, ``"refresh_refused"`` (Zoho answered without a token),
            ``"refresh_unreachable"`` (no answer, or none that can be understood),
            ``"refresh_paused"`` (Zoho was not asked: a failure was too recent, or its limit is
            reached), ``"took_over"`` (another process's lease had run out), ``"login"``
            (a token was stored for the first time, or Zoho accepted a login that replaces a stored
            one), ``"login_required"`` (the user has to log in again), ``"login_restored"``,
            ``"save_kept"``, ``"save_written"``, ``"save_lost"``, ``"outage_began"`` or
            ``"outage_ended"``.
        id: the id of the token, where one is stored.
        user_name: the name of its user, where it is known.
        client_id: the OAuth client that it belongs to, where it is known.
        reason: why, in words that show no secret.
        duration: how long it took: for a request, from sending it to its end.
        attempt: the number of this request since the last that succeeded, from 1.
        at: when, with a time zone (UTC).
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
    """Tells events to the application's handler, and survives whatever that does.

    Emit after what the event tells of is stored, and without holding a lock: the handler may call
    the store.

    Args:
        handler: called with each ``TokenEvent``; ``None``: nobody is told.
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
        """Tell an event. What the handler raises is logged at ERROR and goes no further.

        What a signal's handler raises meanwhile is raised as it is.

        Args:
            name: see ``TokenEvent``.
            document: the token's document, or its fields, of which the id, the user name and the
                client id are told.
            reason: without any secret.
            duration: how long it took.
            attempt: the number of the request.
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
            # Its text may quote anything, as may a traceback whose frames hold tokens.
            logger.error("on_event raised %s at the event %s", type(error).__name__, name)
