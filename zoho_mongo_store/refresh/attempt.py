"""One process's way to a new access token: who holds the lease asks Zoho, the others wait on it."""

import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from pymongo.errors import PyMongoError

from zoho_mongo_store.driver.server_clock import Clock, HostClock
from zoho_mongo_store.errors import failure, without
from zoho_mongo_store.events import EventName
from zoho_mongo_store.model.document import Document, expires_in_of, expiry_date, to_document
from zoho_mongo_store.model.login import is_first_save
from zoho_mongo_store.model.login_state import (
    LOGIN_REQUIRED_REASON,
    is_login_required,
    login_required_fields,
    refused_request,
)
from zoho_mongo_store.refresh.background import Call
from zoho_mongo_store.refresh.exchange import Exchange, silence
from zoho_mongo_store.refresh.lease import Failure, Lease, Leases, LeaseState
from zoho_mongo_store.refresh.outcome import Brought, Failed, Outcome
from zoho_mongo_store.refresh.policy import RefreshPolicy
from zoho_mongo_store.refresh.refusals import Refusal, classify, explained, login_again
from zoho_mongo_store.refresh.stats import Counters
from zoho_mongo_store.refresh.task import Task
from zoho_mongo_store.sdk import (
    REFUSED,
    UNREACHED,
    Redemption,
    SDKException,
    UserSignature,
    acting_as,
    lifetime,
    take_answer,
    token_request,
    user_name_of,
)
from zoho_mongo_store.storage.repository import TokenRepository

_Result = TypeVar("_Result")

logger = logging.getLogger("zoho_mongo_store")

_LONGEST_MESSAGE = 300
# Waiters look often at first, and less often the longer they wait: an answer is seen within a tenth
# of the time that it took. The jitter keeps those that began together apart.
_SHORTEST_PAUSE = 0.03
_LONGEST_PAUSE = 0.25
_PAUSE_PER_SECOND = 0.15
_JITTER = (0.5, 1.0)

_NOT_OFFLINE = (
    "the access token has expired and there is no refresh token: the user has to log in again, "
    "with access_type=offline in the authorize URL"
)
_NOTHING_TO_REDEEM = (
    "there is no stored token, and no refresh or grant token to get one by: the user has to log in"
)


class Event(NamedTuple):
    """An event to be told once all who wait have their answer; see ``Events.emit``."""

    name: EventName
    document: Document
    reason: str | None = None
    duration: timedelta | None = None
    attempt: int | None = None


class Site(NamedTuple):
    """What all attempts of one store share."""

    tokens: TokenRepository
    leases: Leases
    clock: HostClock
    counters: Counters
    policy: RefreshPolicy


class _Interrupted(Exception):  # noqa: N818 - no error of anybody's
    """The request was given up: the lease is another's, or the store is being closed."""


class Attempt:
    """The way to one new access token. It runs once, in one thread.

    Attributes:
        events: What there is to tell, once all who wait have their answer.
        is_early: Whether the access token is still good.
        ended: Set when it has run and its events are told.
    """

    def __init__(self, task: Task, site: Site, *, is_early: bool = False) -> None:
        """Prepare it; nothing is sent yet.

        Args:
            task: What to redeem.
            site: What all attempts of the store share.
            is_early: Whether the access token is still good, so that another process's refresh is
                not waited for.
        """
        self.events: list[Event] = []
        self.is_early = is_early
        self.ended = threading.Event()
        self._task = task
        self._site = site
        self._tokens, self._leases, self._host_clock, self._counters, self._policy = site
        self._took_over = False
        self._cancelled = threading.Event()
        self._clock: Clock

    def cancel(self) -> None:
        """Give up as soon as possible: end the request, and let the lease go."""
        self._cancelled.set()

    def run(self) -> Outcome | None:
        """Get a new access token, from Zoho or from whoever else just got it.

        Returns:
            How it ended, or ``None`` where an early refresh was left to another process.

        Raises:
            PyMongoError: MongoDB failed, so nobody may ask Zoho.
            StoreError: Likewise.
        """
        self._tokens.await_primary()
        self._clock = self._host_clock.server()
        if self._task.credential is None:
            return self._without_credential()
        if self._task.was_login_required and (known := self._known(self._stored())) is not None:
            return known
        while True:
            try:
                lease = self._acquire()
                return self._redeem(lease) if isinstance(lease, Lease) else lease
            except _Interrupted:
                self._counters.add("abandoned")
                if self._cancelled.is_set():
                    return self._paused("the store is closed", timedelta(0))

    def _acquire(self) -> Lease | Outcome | None:
        """Take the lease, or wait until whoever holds it has come to an outcome."""
        task = self._task
        began = time.monotonic()
        waited_on: str | None = None
        lease = self._leases.acquire(task.key, task.request, self._clock())
        while lease is None:
            if self.is_early:
                return None
            state = self._leases.read(task.key, task.request)
            moment = self._clock()
            if state is not None and waited_on is not None and state.failed_owner == waited_on:
                return self._failed(state, moment)
            if state is None:
                # It was purged, or somebody is just making it.
                self._pause(time.monotonic() - began)
                lease = self._leases.acquire(task.key, task.request, moment)
                continue
            if state.owner is not None and moment < state.until:
                waited_on = state.owner
                self._pause(time.monotonic() - began)
                continue
            known = self._known(self._stored())
            if known is not None:
                return known
            if moment < state.retry_after:
                return self._failed(state, moment)
            lease = self._leases.acquire(task.key, task.request, moment, state.owner)
            if lease is not None and state.owner is not None:
                self._took_over = True
                self._tell("took_over", task.fields)
                logger.warning("Took over the refresh of %s from one who fell silent", task.name)
        return lease

    def _pause(self, waited: float) -> None:
        pause = min(max(waited * _PAUSE_PER_SECOND, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        if self._cancelled.wait(pause * random.uniform(*_JITTER)):  # noqa: S311 - no secret
            raise _Interrupted

    def _redeem(self, lease: Lease) -> Outcome:
        """Ask Zoho as the holder of ``lease``, store the answer and end the lease."""
        try:
            stored = self._stored()
            known = self._known(stored)
        except Exception:
            self._leases.release(lease, counted=False)
            raise
        if known is not None:
            self._leases.release(lease, counted=False)
            return known
        logger.info("Asking Zoho for a new access token of %s", self._task.name)
        began = time.monotonic()
        try:
            answer = self._ask(lease)
            fields = self._read(answer)
        except _Interrupted:
            self._end(lambda: self._leases.release(lease, counted=True))
            raise
        except Exception as error:
            duration = timedelta(seconds=time.monotonic() - began)
            reason = self._reason(error, lease)
            if reason.lasting and stored is None:
                try:
                    replaced = self._fall_back(lease, reason, duration)
                except _Interrupted:
                    self._end(lambda: self._leases.release(lease, counted=True))
                    raise
                if replaced is not None:
                    return replaced
            return self._fail(lease, stored, reason, duration)
        duration = timedelta(seconds=time.monotonic() - began)
        result = self._end(lambda: self._store(lease, stored, fields, duration))
        if result is None:
            # The repository keeps what it could not store, and the caller has it all the same.
            self._count_success()
            return Brought({**(stored or {}), **fields}, is_stored=False)
        return result

    def _ask(self, lease: Lease) -> Any:
        """Send the request, and hold the lease for as long as it is under way."""
        task, timeout = self._task, self._policy.request_timeout.total_seconds()
        exchange = Exchange(task.url, token_request(task.token, task.redemption), timeout)
        if self._clock() >= lease.until:
            # This process stood still: another may have taken over.
            raise _Interrupted
        call = Call(exchange.send)
        try:
            if not self._await(call, lease, timeout):
                raise silence(timeout)
        finally:
            exchange.abort()
        return call.result()

    def _await(self, call: "Call[Any]", lease: Lease, timeout: float) -> bool:
        """Wait for a call and extend the lease meanwhile; ``False`` when the time is up."""
        deadline = time.monotonic() + timeout
        step = self._policy.lease.total_seconds() / 4
        extend_at = time.monotonic() + step
        while (left := deadline - time.monotonic()) > 0:
            if call.wait(min(left, 0.25, max(extend_at - time.monotonic(), 0))):
                return True
            if self._cancelled.is_set():
                raise _Interrupted
            if time.monotonic() >= extend_at:
                if not self._extend(lease):
                    raise _Interrupted
                extend_at = time.monotonic() + step
        return call.wait(0)

    def _read(self, answer: Any) -> Document:
        """Read Zoho's answer into the fields of the token."""
        answered_at = self._clock()
        token = self._task.token
        with acting_as(self._task.initializer):
            take_answer(token, answer)
        fields = to_document(token)
        if "access_token" not in fields:
            # The SDK takes whatever stands in an answer for an access token (parse_response).
            raise SDKException(REFUSED, "Zoho's answer has an empty access token")
        # The SDK counts from this host's clock, all others from the server's.
        died_at = int(expires_in_of(answered_at)) + lifetime(answer)
        return {**fields, "expiry_time": expiry_date(died_at)}

    def _store(
        self, lease: Lease, before: Document | None, fields: Document, duration: timedelta
    ) -> Brought:
        """Store what Zoho answered, unless another got a newer token meanwhile: then take that."""
        if before is None:
            # Takes as long as Zoho likes: so before the last look at the lease.
            fields = {**fields, **self._look_up_user(lease)}
        if not self._extend(lease) and (newer := self._newer(self._stored())) is not None:
            return self._late(newer)
        if before is None:
            saved: Document | None = self._tokens.save(fields)
        else:
            saved = self._tokens.compare_and_set_access_token(before, fields)
        if saved is None:
            newer = self._newer(self._stored())
            self._end(lambda: self._leases.succeed(lease))
            if newer is not None:
                return self._late(newer)
            # Deleted meanwhile: the token works, and the SDK's own save stores it anew.
            self._count_success()
            return Brought(fields, is_stored=False)
        if self._tokens.end_login_required(saved):
            self._tell("login_restored", saved)
        elif self._is_login(before) and not is_first_save(saved):
            self._tell("login", saved)
        self._end(lambda: self._leases.succeed(lease))
        self._count_success()
        self._tell("refreshed", saved, None, duration, lease.failures + 1)
        return Brought(saved)

    def _is_login(self, before: Document | None) -> bool:
        return before is None or self._task.redemption is Redemption.GRANT

    def _fail(
        self, lease: Lease, stored: Document | None, reason: Failure, duration: timedelta
    ) -> Outcome:
        """End the lease with what went wrong, and write beside the token that its login is over."""
        task, moment = self._task, self._clock()
        marked: bool | None = None
        # A grant token that is refused says nothing of a refresh token that is stored already.
        is_over = reason.login_required and (
            task.redemption is Redemption.REFRESH or "refresh_token" not in (stored or {})
        )
        if is_over and stored is not None:
            # Before the lease ends: nobody may find that free, and the token as it was.
            required = login_required_fields(stored, task.request, reason.message, moment)
            marked = self._end(lambda: self._tokens.begin_login_required(stored, required))
        is_marked = marked is not None
        ends = self._end(lambda: self._leases.fail(lease, reason, moment, is_marked=is_marked))
        if ends is None and (newer := self._end(lambda: self._newer(self._stored()))) is not None:
            return self._late(newer)
        self._counters.add("refused" if reason.refused else "unreachable")
        logger.warning("Zoho gave no access token for %s: %s", task.name, reason.message)
        name: EventName = "refresh_refused" if reason.refused else "refresh_unreachable"
        told = stored or task.fields
        self._tell(name, told, reason.message, duration, lease.failures + 1)
        if marked or (is_over and stored is None):
            self._tell("login_required", told, reason.message)
        if reason.login_required:
            return Failed(reason.code, reason.message, None)
        rest = timedelta(0) if ends is None else ends - moment
        return Failed(reason.code, _asked_again(reason.message, rest), rest)

    def _fall_back(self, lease: Lease, reason: Failure, duration: timedelta) -> Brought | None:
        """Go on with the stored token that a login was to replace, after Zoho refused the login.

        The stored token remembers the credential, so that the fleet asks Zoho about it once.

        Returns:
            The stored token, or ``None`` if there is none, or it does not work either.
        """
        task = self._task
        replaced = self._end(lambda: self._tokens.find_replaced(task.fields))
        if replaced is None or is_login_required(replaced):
            return None
        if self._newer(replaced) is None:
            replaced = self._refreshed(lease, replaced)
        if replaced is None:
            return None
        remembered = self._end(
            lambda: self._tokens.remember_credentials(replaced["id"], task.fields)
        )
        self._end(lambda: self._leases.release(lease, counted=True))
        self._counters.add("refused")
        self._tell("refresh_refused", task.fields, reason.message, duration, lease.failures + 1)
        text = "Zoho refused the new login of %s: %s; the stored one goes on"
        logger.warning(text, task.name, reason.message)
        return Brought(remembered or replaced)

    def _refreshed(self, lease: Lease, stored: Document) -> Document | None:
        """Refresh another token while holding ``lease``; ``None`` if that cannot be done."""
        if "refresh_token" not in stored:
            return None
        attempt = Attempt(self._task.of_stored(stored), self._site)
        call = Call(attempt.run)
        try:
            patience = self._policy.lease + self._policy.request_timeout
            is_done = self._await(call, lease, patience.total_seconds())
            outcome = self._end(call.result) if is_done else None
        finally:
            attempt.cancel()
        self.events += attempt.events
        return outcome.document if isinstance(outcome, Brought) else None

    def _count_success(self) -> None:
        if self._took_over:
            self._counters.add("took_over")
        else:
            self._counters.add("early" if self.is_early else "refreshed")

    def _late(self, newer: Document) -> Brought:
        self._counters.add("late")
        logger.warning("Another was faster to a new access token of %s", self._task.name)
        return Brought(newer)

    def _known(self, stored: Document | None) -> Outcome | None:
        """What is known without asking: another's newer token, or that the login is over."""
        newer = self._newer(stored)
        if newer is not None:
            self._counters.add("waited")
            logger.debug("Another got a new access token of %s", self._task.name)
            return Brought(newer)
        if stored is not None and refused_request(stored) == self._task.request:
            self._counters.add("login_required")
            return Failed(REFUSED, stored[LOGIN_REQUIRED_REASON], None)
        return None

    def _without_credential(self) -> Outcome:
        """Answer for a token with nothing to redeem: no request could succeed."""
        task, stored = self._task, self._stored()
        known = self._known(stored)
        if known is not None:
            return known
        reason = _NOT_OFFLINE if task.held else _NOTHING_TO_REDEEM
        if stored is not None:
            required = login_required_fields(stored, task.request, reason, self._clock())
            if self._end(lambda: self._tokens.begin_login_required(stored, required)):
                self._tell("login_required", stored, reason)
        self._counters.add("login_required")
        return Failed(REFUSED, reason, None)

    def _failed(self, state: LeaseState, moment: datetime) -> Failed:
        """Answer by the failure that stands in the lease, or by Zoho's limit."""
        if state.failure is None:
            message = "Zoho's limit of 10 in 10 minutes is reached"
            return self._paused(message, state.retry_after - moment)
        code, message = state.failure.code, state.failure.message
        if state.failure.login_required:
            self._counters.add("login_required")
            return Failed(code, message, None)
        return self._paused(message, max(state.retry_after - moment, timedelta(0)), code)

    def _paused(self, message: str, rest: timedelta, code: str = REFUSED) -> Failed:
        self._counters.add("paused")
        self._tell("refresh_paused", self._task.fields, message)
        logger.debug("Zoho is not asked for %s: %s", self._task.name, message)
        return Failed(code, _asked_again(message, rest), rest)

    def _reason(self, error: Exception, lease: Lease) -> Failure:
        """Tell what a failed request means."""
        redemption = self._task.redemption
        text = error.error_message if isinstance(error, SDKException) else str(error)
        message = without(self._task.secrets, text or type(error).__name__)[:_LONGEST_MESSAGE]
        if not isinstance(error, SDKException) or error.code != REFUSED:
            return Failure(UNREACHED, message, refused=False)
        refusal = classify(redemption, text)
        if refusal is not Refusal.LASTING:
            return Failure(REFUSED, explained(refusal, message), refused=True)
        # A grant token lives for minutes: there is no asking again.
        confirmed = redemption is Redemption.GRANT or (
            lease.failure is not None and lease.failure.lasting
        )
        message = login_again(redemption, message) if confirmed else message
        return Failure(REFUSED, message, True, lasting=True, login_required=confirmed)

    def _look_up_user(self, lease: Lease) -> Document:
        """Ask Zoho whose the new token is, for no longer than a request may take."""
        token, initializer = self._task.token, self._task.initializer

        def look_up() -> str | None:
            with acting_as(initializer):
                return user_name_of(token)

        call = Call(look_up)
        try:
            if not self._await(call, lease, self._policy.request_timeout.total_seconds()):
                raise TimeoutError("Zoho did not answer in time")
            name = call.result()
        except Exception as error:
            reason = without(self._task.secrets, str(error) or type(error).__name__)
            logger.warning("The user of a new token could not be looked up: %s", reason)
            return {}
        if not name:
            return {}
        token.set_user_signature(UserSignature(name))
        return {"user_name": name}

    def _extend(self, lease: Lease) -> bool:
        """Extend the lease; whether it still is this one's.

        While MongoDB is away the request goes on: nobody can take the lease meanwhile, and the save
        is kept for later.
        """
        try:
            return self._leases.extend(lease, self._clock())
        except PyMongoError:
            return True

    def _end(self, write: Callable[[], _Result]) -> _Result | None:
        """Write what became of a request to Zoho.

        A failure is logged, and costs the caller nothing: Zoho has answered, and the lease runs out
        by itself.
        """
        try:
            return write()
        except Exception as error:
            logger.error("%s", failure("refresh", error, self._task.secrets))
            return None

    def _stored(self) -> Document | None:
        return self._tokens.find_token(self._task.fields, from_primary=True)

    def _newer(self, stored: Document | None) -> Document | None:
        """``stored``, if it has an access token to use in the place of the caller's."""
        if stored is None or stored.get("access_token") in (None, self._task.held):
            return None
        expiry = stored.get("expiry_time")
        return stored if expiry is None or expiry > self._clock() else None

    def _tell(
        self,
        name: EventName,
        document: Document,
        reason: str | None = None,
        duration: timedelta | None = None,
        attempt: int | None = None,
    ) -> None:
        self.events.append(Event(name, document, reason, duration, attempt))


def _asked_again(message: str, rest: timedelta) -> str:
    return f"{message}; Zoho is asked again in {int(rest.total_seconds()) + 1} s"
