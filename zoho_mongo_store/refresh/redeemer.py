"""Redeeming a credential for the fleet: who holds the lease asks Zoho, the others wait on it."""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from pymongo.errors import PyMongoError

from zoho_mongo_store.errors import failure, without
from zoho_mongo_store.model.document import Document, fill, now, to_document
from zoho_mongo_store.model.lookup import find_filters
from zoho_mongo_store.refresh.intercept import mark_saved
from zoho_mongo_store.refresh.lease import Failure, Lease, Leases, LeaseState
from zoho_mongo_store.refresh.stats import Counters
from zoho_mongo_store.sdk import (
    REFUSED,
    OAuthToken,
    Redemption,
    SDKException,
    redeem,
    secrets_of,
    set_user_name,
)
from zoho_mongo_store.storage.repository import TokenRepository

_Result = TypeVar("_Result")

logger = logging.getLogger("zoho_mongo_store")

_FIRST_POLL = 0.05
_LONGEST_POLL = 0.25
_POLL_GROWTH = 1.5
_LONGEST_MESSAGE = 300


class RedemptionError(Exception):
    """Zoho gave no token, or is not asked for one now. Its text shows no secret."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Redeemer:
    """Brings tokens their access token, from Zoho or from whoever else just got it."""

    def __init__(self, tokens: TokenRepository, leases: Leases, counters: Counters) -> None:
        self._tokens = tokens
        self._leases = leases
        self._counters = counters

    def redeem(
        self,
        token: OAuthToken,
        redemption: Redemption,
        url: str,
        key: str,
        beat: Callable[[], None],
    ) -> None:
        """Give ``token`` a new access token; waits while another process is getting it.

        ``beat`` is called at each turn of the wait. Raises ``RedemptionError`` when Zoho gives
        none, gave none to the one that was waited on, or is not to be asked now.
        """
        clock = self._leases.clock()
        held = token.get_access_token()
        waited_on: str | None = None
        pause = _FIRST_POLL
        lease = self._leases.acquire(key, clock())
        while lease is None:
            state = self._leases.read(key)
            if state is not None and waited_on is not None and state.failed_owner == waited_on:
                raise _failed(state)
            moment = clock()
            if state is not None and state.owner is not None and moment < state.until:
                waited_on = state.owner
                beat()
                time.sleep(pause)
                pause = min(pause * _POLL_GROWTH, _LONGEST_POLL)
                continue
            if self.take_newer(token, held):
                self._counters.add("waited")
                logger.debug("Waited for a new access token of %s", name_of(token))
                return
            if state is not None and moment < state.retry_after:
                self._counters.add("cooling_down")
                logger.debug("Zoho is not asked for %s: it is cooling down", name_of(token))
                raise _resting(state, moment)
            lease = self._leases.acquire(key, moment, state.owner if state is not None else None)
            if lease is not None and state is not None and state.owner is not None:
                self._counters.add("took_over")
                logger.warning(
                    "Took over the refresh of %s from one who fell silent", name_of(token)
                )
        self.redeem_under(lease, token, redemption, url, clock)

    def redeem_under(
        self,
        lease: Lease,
        token: OAuthToken,
        redemption: Redemption,
        url: str,
        clock: Callable[[], datetime],
    ) -> None:
        """Ask Zoho as the holder of ``lease``, store the answer and end the lease."""
        held, as_it_was = token.get_access_token(), dict(vars(token))
        try:
            stored = self._stored(token)
        except Exception:
            self._leases.release(lease, counted=False)
            raise
        if stored is not None and _newer(stored, held):
            self._leases.release(lease, counted=False)
            self._counters.add("waited")
            _take(token, stored)
            return
        self._counters.add("won")
        logger.info("Asking Zoho for a new access token of %s", name_of(token))
        try:
            redeem(token, redemption, url)
            _check_answer(token)
        except Exception as error:
            reason = _reason(error, secrets_of(token))
            # The SDK sets the access token before it finds the answer's expiry missing.
            vars(token).update(as_it_was)
            still_held = self._end(token, lambda: self._leases.fail(lease, reason, clock()))
            if not still_held and self.take_newer(token, held):
                self._count_late(token)
                return
            self._counters.add("failed")
            logger.warning("Zoho gave no access token for %s: %s", name_of(token), reason.message)
            raise RedemptionError(reason.code, reason.message) from None
        except BaseException:
            self._end(token, lambda: self._leases.release(lease, counted=True))
            raise
        self._end(token, lambda: self._store(lease, token, stored, held, clock))

    def take_newer(self, token: OAuthToken, held: str | None) -> bool:
        """Fill ``token`` from the stored one if that has another access token than ``held``."""
        stored = self._stored(token)
        if stored is None or not _newer(stored, held):
            return False
        _take(token, stored)
        return True

    def _store(
        self,
        lease: Lease,
        token: OAuthToken,
        before: Document | None,
        held: str | None,
        clock: Callable[[], datetime],
    ) -> None:
        """Store what Zoho answered, unless another got a newer token meanwhile: then take that."""
        if before is None:
            # Takes as long as Zoho likes: so before the last look at the lease.
            _look_up_user(token)
        if not self._extend(lease, clock) and self.take_newer(token, held):
            self._count_late(token)
            return
        if before is None:
            saved: Document | None = self._tokens.save(to_document(token))
        else:
            saved = self._tokens.compare_and_set_access_token(before, to_document(token))
        if saved is not None:
            _take(token, saved)
        elif self.take_newer(token, held):
            self._count_late(token)
        self._leases.succeed(lease)

    def _count_late(self, token: OAuthToken) -> None:
        self._counters.add("late")
        logger.warning("Another was faster to a new access token of %s", name_of(token))

    def _extend(self, lease: Lease, clock: Callable[[], datetime]) -> bool:
        """Extend the lease. Where that cannot be known the save goes on: it is kept for later if
        MongoDB is away."""
        try:
            return self._leases.extend(lease, clock())
        except PyMongoError:
            return True

    def _end(self, token: OAuthToken, write: Callable[[], _Result]) -> _Result | None:
        """Write what became of a request to Zoho. That it cannot be written is logged and costs the
        caller nothing: it has got Zoho's answer, and the lease runs out by itself."""
        try:
            return write()
        except Exception as error:
            logger.error("%s", failure("refresh", error, secrets_of(token)))
            return None

    def _stored(self, token: OAuthToken) -> Document | None:
        return self._tokens.find(find_filters(to_document(token)), from_primary=True)


def name_of(token: OAuthToken) -> str:
    """What a log may say of a token: its id and its user."""
    signature = token.get_user_signature()
    return f"id {token.get_id()}, user {signature.get_name() if signature else None}"


def _newer(stored: Document, held: str | None) -> bool:
    """Whether ``stored`` has an access token to use in the place of ``held``."""
    if stored.get("access_token") in (None, held):
        return False
    expiry = stored.get("expiry_time")
    return expiry is None or expiry > now()


def _check_answer(token: OAuthToken) -> None:
    """The SDK takes whatever stands in an answer for an access token (parse_response)."""
    if "access_token" not in to_document(token):
        raise SDKException(REFUSED, "Zoho's answer has an empty access token")


def _take(token: OAuthToken, stored: Document) -> None:
    token.set_id(stored["id"])
    token.set_refresh_token(stored.get("refresh_token") or token.get_refresh_token())
    fill(token, stored)
    mark_saved(token)


def _look_up_user(token: OAuthToken) -> None:
    try:
        set_user_name(token)
    except Exception as error:
        reason = without(secrets_of(token), str(error))
        logger.warning("The user of a new token could not be looked up: %s", reason)


def _reason(error: Exception, secrets: list[str]) -> Failure:
    message = error.error_message if isinstance(error, SDKException) else str(error)
    code = error.code if isinstance(error, SDKException) else None
    return Failure(
        code=code or type(error).__name__,
        message=without(secrets, message)[:_LONGEST_MESSAGE],
        refused=code == REFUSED,
    )


def _failed(state: LeaseState) -> RedemptionError:
    code, message, _ = state.failure or Failure(REFUSED, "no reason was given", True)
    return RedemptionError(code, message)


def _resting(state: LeaseState, moment: datetime) -> RedemptionError:
    seconds = int((state.retry_after - moment).total_seconds()) + 1
    if state.failure is None:
        return RedemptionError(
            REFUSED,
            f"Zoho's limit of 10 in 10 minutes is reached; Zoho is asked again in {seconds} s",
        )
    return RedemptionError(
        state.failure.code,
        f"{state.failure.message}; Zoho is asked again in {seconds} s",
    )
