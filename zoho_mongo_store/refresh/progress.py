"""What the steps of one attempt share: its task, the stored token, and the events to emit."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple, TypeVar

from pymongo.errors import PyMongoError

from zoho_mongo_store.driver.server_clock import Clock
from zoho_mongo_store.errors import failure, is_unreachable
from zoho_mongo_store.events import EventName
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.refresh.site import Site
from zoho_mongo_store.refresh.task import Task

_Result = TypeVar("_Result")

logger = logging.getLogger("zoho_mongo_store")


class Interrupted(Exception):  # noqa: N818 - not an error
    """The request was given up: the lease has been lost, or the store is being closed."""


class Event(NamedTuple):
    """An event to emit once all waiting callers have their answer; see ``Events.emit``."""

    name: EventName
    document: Document
    reason: str | None = None
    duration: timedelta | None = None
    attempt: int | None = None


class Progress:
    """What the steps of one attempt share.

    Attributes:
        task: What to redeem.
        site: What all attempts of the store share.
        is_early: Whether the access token is still valid.
        took_over: Whether the lease was taken over from another process after it expired.
        clock: MongoDB's clock, once ``begin`` has read it.
        events: The events to emit once all waiting callers have their answer.
    """

    def __init__(self, task: Task, site: Site, *, is_early: bool) -> None:
        """Create it. Nothing is sent yet."""
        self.task = task
        self.site = site
        self.is_early = is_early
        self.took_over = False
        self.clock: Clock
        self.events: list[Event] = []
        self._cancelled = threading.Event()
        self._outlasts_until = 0.0

    def begin(self) -> None:
        """Wait for a primary and read MongoDB's clock."""
        self._outlasts_until = time.monotonic() + self.site.policy.lease.total_seconds()
        self.site.tokens.await_primary()
        self.clock = self.outlast(self.site.clock.server)

    def outlast(self, step: Callable[[], _Result]) -> _Result:
        """Run a step, and run it again after an election if the primary was lost.

        Args:
            step: What to run. It may run more than once.

        Returns:
            What ``step`` returned.

        Raises:
            PyMongoError: It failed for another reason, or for longer than a lease.
        """
        while True:
            try:
                return step()
            except PyMongoError as error:
                left = self._outlasts_until - time.monotonic()
                if not is_unreachable(error) or left <= 0 or self.is_cancelled:
                    raise
            self.site.tokens.await_another_primary(left)

    def cancel(self) -> None:
        """End whatever is running as soon as possible."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether ``cancel`` was called."""
        return self._cancelled.is_set()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            Interrupted: ``cancel`` was called.
        """
        if self._cancelled.wait(seconds):
            raise Interrupted

    def stored(self) -> Document | None:
        """Read the stored token from the primary."""
        return self.site.tokens.find_token(self.task.fields, from_primary=True)

    def newer(self, stored: Document | None) -> Document | None:
        """Return ``stored`` if its access token is valid and differs from the caller's."""
        if stored is None or stored.get("access_token") in (None, self.task.held):
            return None
        expiry = stored.get("expiry_time")
        return stored if expiry is None or expiry > self.clock() else None

    def write(self, what: Callable[[], _Result]) -> _Result | None:
        """Write the outcome of a request to Zoho.

        A failure is only logged, not raised: Zoho has answered, and the lease expires by itself.
        """
        try:
            return what()
        except Exception as error:
            logger.error("%s", failure("refresh", error, self.task.secrets))
            return None

    def count(self, outcome: str) -> None:
        """Count an outcome; see ``RefreshStats``."""
        self.site.counters.add(outcome)

    def count_success(self) -> None:
        """Count that Zoho gave an access token."""
        if self.took_over:
            self.count("took_over")
        else:
            self.count("early" if self.is_early else "refreshed")

    def tell(
        self,
        name: EventName,
        document: Document,
        reason: str | None = None,
        duration: timedelta | None = None,
        attempt: int | None = None,
    ) -> None:
        """Note an event, to be emitted once all waiting callers have their answer."""
        self.events.append(Event(name, document, reason, duration, attempt))
