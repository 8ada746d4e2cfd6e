"""One refresh for the whole fleet: arms each token that the store hands out."""

import atexit
import logging
import time
import weakref
from datetime import timedelta

from zoho_mongo_store.errors import failure
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.login_state import is_login_required
from zoho_mongo_store.redemption import Redemption
from zoho_mongo_store.refresh.attempt import Attempt
from zoho_mongo_store.refresh.background import start
from zoho_mongo_store.refresh.early import EarlyRefreshes
from zoho_mongo_store.refresh.flight import Flight, Flights
from zoho_mongo_store.refresh.intercept import intercept
from zoho_mongo_store.refresh.leases import Leases
from zoho_mongo_store.refresh.outcome import Failed, Outcome, correct_expiry
from zoho_mongo_store.refresh.policy import RefreshPolicy
from zoho_mongo_store.refresh.running import RunningAttempts
from zoho_mongo_store.refresh.site import Site
from zoho_mongo_store.refresh.stats import Counters, RefreshStats
from zoho_mongo_store.refresh.task import Task
from zoho_mongo_store.sdk import REFUSED, OAuthToken, accounts_url
from zoho_mongo_store.storage.repository import TokenRepository

logger = logging.getLogger("zoho_mongo_store")


class Coordinator:
    """Arms tokens, so that of all callers who would ask Zoho at once, one does and the rest wait.

    Each ``Attempt`` to get a new access token runs in its own thread, and callers only wait for it.
    So a caller is answered in time whatever Zoho does, and an exception raised by a signal's
    handler reaches the caller unchanged. Neither stops the refresh.

    Attributes:
        timeout: Seconds that ``close`` waits when the process exits.
    """

    def __init__(self, tokens: TokenRepository, policy: RefreshPolicy) -> None:
        """Create the coordination of one store. Nothing is sent yet.

        Args:
            tokens: The stored tokens.
            policy: How long things take.
        """
        self._counters = Counters()
        leases = Leases(tokens.leases, tokens.timeout, policy)
        self._clock = tokens.clock
        self._site = Site(tokens, leases, self._clock, self._counters, policy)
        self.timeout = tokens.timeout
        self._flights = Flights()
        self._patience = (policy.lease + policy.request_timeout).total_seconds()
        self._early = EarlyRefreshes(policy.ahead.total_seconds())
        self._arm = intercept(self.redeem)
        self._running = RunningAttempts()
        _coordinators.add(self)

    def stats(self) -> RefreshStats:
        """Return the counts of this process."""
        return self._counters.snapshot()

    def prepare(self, token: OAuthToken, stored: Document | None) -> None:
        """Arm a token that was looked up, even if it is not stored: the SDK still uses it.

        If it is about to expire and nobody else is refreshing it, refresh it in the background.
        """
        if stored is None:
            self._arm(token)
            return
        self._arm(token, login_required=is_login_required(stored))
        self.correct_expiry(token, stored)
        if self._early.is_due(token, stored):
            self._refresh_early(token)

    def correct_expiry(self, token: OAuthToken, stored: Document) -> None:
        """Convert the expiry of a token filled from a stored one to this host's clock."""
        if "expiry_time" in stored and (ahead := self._site.tokens.host_ahead()):
            correct_expiry(token, stored, ahead)

    def by_server_clock(self, fields: Document) -> Document:
        """Convert the expiry in a token's fields from this host's clock to MongoDB's."""
        if "expiry_time" not in fields or not (ahead := self._clock.ahead()):
            return fields
        return {**fields, "expiry_time": fields["expiry_time"] - ahead}

    def redeem(self, token: OAuthToken, redemption: Redemption, url: str) -> None:
        """Give ``token`` a new access token, with one request to Zoho for all callers.

        Args:
            token: The caller's token.
            redemption: What to redeem.
            url: Zoho's URL for the request.

        Raises:
            SDKException: With the code ``TOKEN_STORE`` if MongoDB fails; without it nobody may ask
                Zoho.
            LoginRequiredError: The user has to log in again.
            RefreshPausedError: A later try may succeed.
        """
        task = Task.of(token, redemption, url)
        outcome = self._wait_for(task)
        if isinstance(outcome, Exception):
            failed = failure("refresh", outcome, task.secrets)
        elif isinstance(outcome, Failed):
            failed = outcome.error()
        else:
            outcome.give_to(token, self._clock.ahead())
            return
        del task, outcome, token
        raise failed

    def close(self, timeout: float) -> None:
        """End the attempts in progress: answers that arrive in time are stored.

        Args:
            timeout: Seconds to wait for Zoho's answers.
        """
        self._running.end(timeout)

    def _wait_for(self, task: Task) -> Outcome | Exception:
        """Wait for the process's one attempt at this task, starting it if there is none."""
        deadline = time.monotonic() + self._patience
        while True:
            flight, is_own = self._board(task)
            if not flight.wait(deadline - time.monotonic()):
                self._counters.add("paused")
                return Failed(REFUSED, "no process got an answer in time", timedelta(seconds=1))
            outcome = flight.outcome
            if flight.error is not None:
                return flight.error
            if isinstance(outcome, Failed):
                if not is_own:
                    self._counters.add(
                        "login_required" if outcome.retry_after is None else "paused"
                    )
                return outcome
            if outcome is not None and is_own:
                return outcome
            if outcome is not None and outcome.document["access_token"] != task.held:
                self._counters.add("waited")
                return outcome

    def _board(self, task: Task, *, is_early: bool = False) -> tuple[Flight, bool]:
        """Join the attempt in progress, or start one. Returns whether it was started here.

        If a signal's handler raises meanwhile, no attempt is left behind that nobody runs.
        """
        attempt = Attempt(task, self._site, is_early=is_early)
        try:
            flight, is_own = self._flights.board(task.flight_key)
            if is_own:
                if is_early:
                    self._early.add(attempt)
                self._running.add(attempt)
                start(lambda: self._fly(attempt, task, flight))
        except BaseException:
            if self._flights.give_up(task.flight_key):
                self._discard(attempt)
            raise
        return flight, is_own

    def _discard(self, attempt: Attempt) -> None:
        self._early.discard(attempt)
        self._running.discard(attempt)

    def _fly(self, attempt: Attempt, task: Task, flight: Flight) -> None:
        """Run an attempt, and emit its events once all waiting callers have the outcome."""
        flight.is_flown = True
        try:
            flight.outcome = attempt.run()
        except Exception as error:
            self._counters.add("failed")
            level = logging.WARNING if attempt.is_early else logging.ERROR
            logger.log(level, "%s", failure("refresh", error, task.secrets))
            flight.error = error
        finally:
            self._flights.leave(task.flight_key, flight)
            flight.land()
            self._early.discard(attempt)
        try:
            for event in attempt.events:
                self._site.tokens.events.emit(**event._asdict())
        finally:
            self._discard(attempt)
            attempt.ended.set()

    def _refresh_early(self, token: OAuthToken) -> None:
        """Refresh a token that is still valid, if nobody else does. Nobody waits for it."""
        url = accounts_url(token)
        if url is None:
            return
        task = Task.of(token, Redemption.REFRESH, url)
        if not self._early.may_try(task.key):
            return
        self._board(task, is_early=True)


_coordinators: "weakref.WeakSet[Coordinator]" = weakref.WeakSet()


@atexit.register
def _close_at_exit() -> None:
    """Do not let the process's exit cut off a request: its lease would be held until it expires."""
    for coordinator in list(_coordinators):
        coordinator.close(coordinator.timeout)
