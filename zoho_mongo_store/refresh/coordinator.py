"""One refresh for the whole fleet: what is done with each token that the store hands out."""

import logging
import time

from zoho_mongo_store.errors import failure
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.refresh.flight import Flight, Flights
from zoho_mongo_store.refresh.intercept import intercept
from zoho_mongo_store.refresh.lease import Leases, lease_key
from zoho_mongo_store.refresh.policy import RefreshPolicy
from zoho_mongo_store.refresh.redeemer import Redeemer, RedemptionError, name_of
from zoho_mongo_store.refresh.stats import Counters, RefreshStats
from zoho_mongo_store.sdk import (
    OAuthToken,
    Redemption,
    SDKException,
    accounts_url,
    redeem,
    secrets_of,
)
from zoho_mongo_store.storage.repository import TokenRepository

logger = logging.getLogger("zoho_mongo_store")

# The SDK itself refreshes what expires within 5000 ms (oauth_token.py, get_token).
_SDK_MARGIN = 5.0
# How often a process tries, while another refreshes early or has failed to.
_EARLY_PAUSE = 5.0


class Coordinator:
    """Arms tokens, so that of all who would ask Zoho at once one does and the others wait.

    Threads of a process wait on one of them (single-flight), and that one on the lease.
    """

    def __init__(self, tokens: TokenRepository, policy: RefreshPolicy) -> None:
        self._leases = Leases(tokens.leases, tokens.timeout, policy)
        self._counters = Counters()
        self._tokens = tokens
        self._redeemer = Redeemer(tokens, self._leases, self._counters)
        self._flights = Flights()
        self._patience = policy.lease.total_seconds()
        self._ahead = policy.ahead.total_seconds()
        self._early_from: dict[str, float] = {}
        self._arm = intercept(self.redeem)

    def stats(self) -> RefreshStats:
        """The counts of this process."""
        return self._counters.snapshot()

    def prepare(self, token: OAuthToken, stored: Document | None) -> None:
        """Arm a token that was looked up, also one that is not stored, which the SDK goes on with;
        and refresh it early when it is about to expire and nobody else does."""
        self._arm(token)
        if (
            stored is not None
            and self._is_due_early(token, stored)
            and not self._tokens.is_serving_from_memory
        ):
            self._refresh_early(token)

    def redeem(self, token: OAuthToken, redemption: Redemption, url: str) -> None:
        """Give ``token`` a new access token, with one request to Zoho for all who want it.

        Raises ``SDKException``: with the SDK's own code when Zoho gives no token, and with
        ``TOKEN_STORE`` when MongoDB fails, without which nobody may ask Zoho.
        """
        credential = redemption.credential_of(token)
        if credential is None:
            # Nothing to redeem: Zoho's own answer says so best.
            redeem(token, redemption, url)
            return
        try:
            self._fly(token, redemption, url, lease_key(redemption.credential, credential))
            return
        except RedemptionError as error:
            failed = SDKException(error.code, error.message)
        except Exception as error:
            failed = failure("refresh", error, secrets_of(token))
            logger.error("%s", failed)
        del credential
        raise failed

    def _fly(self, token: OAuthToken, redemption: Redemption, url: str, key: str) -> None:
        """Redeem as the one thread of this process that does, or wait on that one."""
        held = token.get_access_token()
        while True:
            flight, is_own = self._flights.board(key)
            if is_own:
                self._lead(flight, token, redemption, url, key)
                return
            if not flight.wait(self._patience):
                # It is stuck at Zoho for longer than its lease: another may take over.
                self._flights.leave(key, flight)
            elif flight.error is not None:
                raise flight.error
            elif self._redeemer.take_newer(token, held):
                self._counters.add("waited")
                return

    def _lead(
        self, flight: Flight, token: OAuthToken, redemption: Redemption, url: str, key: str
    ) -> None:
        try:
            self._redeemer.redeem(token, redemption, url, key, flight.beat)
        except Exception as error:
            flight.error = error
            raise
        finally:
            self._flights.leave(key, flight)
            flight.land()

    def _is_due_early(self, token: OAuthToken, stored: Document) -> bool:
        expires_in = token.get_expires_in()
        if not expires_in or "access_token" not in stored or "refresh_token" not in stored:
            return False
        left = int(expires_in) / 1000 - time.time()
        return _SDK_MARGIN < left < self._ahead

    def _refresh_early(self, token: OAuthToken) -> None:
        """Refresh a token that is still good, if nobody else does; a failure is no error."""
        url = accounts_url(token)
        credential = Redemption.REFRESH.credential_of(token)
        if url is None or credential is None:
            return
        key = lease_key(Redemption.REFRESH.credential, credential)
        moment = time.monotonic()
        if moment < self._early_from.get(key, 0):
            return
        flight, is_own = self._flights.board(key)
        if not is_own:
            return
        resting = {other: end for other, end in self._early_from.items() if moment < end}
        self._early_from = {**resting, key: moment + _EARLY_PAUSE}
        try:
            clock = self._leases.clock()
            lease = self._leases.acquire(key, clock())
            if lease is not None:
                self._counters.add("early")
                self._redeemer.redeem_under(lease, token, Redemption.REFRESH, url, clock)
        except RedemptionError:
            logger.debug("The early refresh of %s failed", name_of(token))
        except Exception as error:
            reason = failure("refresh", error, secrets_of(token))
            logger.warning("The early refresh of %s failed: %s", name_of(token), reason)
        finally:
            self._flights.leave(key, flight)
            flight.land()
