"""One process's attempt to get a new access token: the lease's holder asks, the others wait."""

import logging
import threading
import time
from datetime import timedelta

from zoho_mongo_store.model.document import Document
from zoho_mongo_store.refresh.acquiring import acquire
from zoho_mongo_store.refresh.asking import ask
from zoho_mongo_store.refresh.background import Call
from zoho_mongo_store.refresh.failing import fail, reason_of
from zoho_mongo_store.refresh.falling_back import fall_back
from zoho_mongo_store.refresh.held_lease import HeldLease
from zoho_mongo_store.refresh.known import known, paused, without_credential
from zoho_mongo_store.refresh.lease import Lease
from zoho_mongo_store.refresh.outcome import Brought, Outcome
from zoho_mongo_store.refresh.progress import Event, Interrupted, Progress
from zoho_mongo_store.refresh.site import Site
from zoho_mongo_store.refresh.storing import store_answer
from zoho_mongo_store.refresh.task import Task

logger = logging.getLogger("zoho_mongo_store")


class Attempt:
    """An attempt to get one new access token. It runs once, in one thread.

    Attributes:
        is_early: Whether the access token is still valid.
        ended: Set when the attempt has run and its events have been emitted.
    """

    def __init__(self, task: Task, site: Site, *, is_early: bool = False) -> None:
        """Prepare it. Nothing is sent yet.

        Args:
            task: What to redeem.
            site: What all attempts of the store share.
            is_early: Whether the access token is still valid, so that there is no need to wait for
                another process's refresh.
        """
        self.is_early = is_early
        self.ended = threading.Event()
        self._task = task
        self._site = site
        self._progress = Progress(task, site, is_early=is_early)

    @property
    def events(self) -> list[Event]:
        """The events to emit once all waiting callers have their answer."""
        return self._progress.events

    def cancel(self) -> None:
        """Give up as soon as possible: end the request and release the lease."""
        self._progress.cancel()

    def run(self) -> Outcome | None:
        """Get a new access token, from Zoho or from whoever else has just obtained it.

        Returns:
            How it ended, or ``None`` if an early refresh was left to another process.

        Raises:
            PyMongoError: MongoDB failed, so nobody may ask Zoho.
            StoreError: Likewise, with the store's own message.
        """
        progress = self._progress
        progress.begin()
        if self._task.credential is None:
            return without_credential(progress)
        if self._task.was_login_required:
            outcome = known(progress, progress.outlast(progress.stored))
            if outcome is not None:
                return outcome
        while True:
            try:
                acquired = progress.outlast(lambda: acquire(progress))
                return self._redeem(acquired) if isinstance(acquired, Lease) else acquired
            except Interrupted:
                progress.count("abandoned")
                if progress.is_cancelled:
                    return paused(progress, "the store is closed", timedelta(0))

    def _redeem(self, lease: Lease) -> Outcome:
        """Ask Zoho as the holder of ``lease``, unless somebody just has, and end the lease."""
        progress = self._progress
        held = HeldLease(progress, lease)
        try:
            stored = progress.outlast(progress.stored)
            outcome = known(progress, stored)
        except Exception:
            held.give_back()
            raise
        if outcome is not None:
            held.give_back()
            return outcome
        try:
            return self._ask(held, stored)
        except Interrupted:
            held.release()
            raise

    def _ask(self, held: HeldLease, stored: Document | None) -> Outcome:
        progress = self._progress
        logger.info("Asking Zoho for a new access token of %s", self._task.name)
        began = time.monotonic()
        try:
            fields = ask(progress, held)
        except Interrupted:
            raise
        except Exception as error:
            duration = timedelta(seconds=time.monotonic() - began)
            reason = reason_of(progress, held, error)
        else:
            duration = timedelta(seconds=time.monotonic() - began)
            return store_answer(progress, held, stored, fields, duration)
        if reason.lasting and stored is None:
            replaced = fall_back(
                progress, held, reason, duration, lambda token: self._refreshed(held, token)
            )
            if replaced is not None:
                return replaced
        return fail(progress, held, stored, reason, duration)

    def _refreshed(self, held: HeldLease, stored: Document) -> Document | None:
        """Refresh another token while holding a lease. Returns ``None`` if that fails."""
        if "refresh_token" not in stored:
            return None
        attempt = Attempt(self._task.of_stored(stored), self._site)
        call = Call(attempt.run)
        try:
            patience = self._site.policy.lease + self._site.policy.request_timeout
            is_done = held.wait_for(call, patience.total_seconds())
            outcome = self._progress.write(call.result) if is_done else None
        finally:
            attempt.cancel()
        self._progress.events.extend(attempt.events)
        return outcome.document if isinstance(outcome, Brought) else None
