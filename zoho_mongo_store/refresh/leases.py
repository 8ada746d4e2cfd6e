"""The collection of leases, by which the fleet agrees who may redeem a credential at Zoho."""

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pymongo
from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from zoho_mongo_store.driver.server_clock import Clock, server_clock
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.refresh import lease_document
from zoho_mongo_store.refresh.lease import BusyLease, Failure, Lease, LeaseState
from zoho_mongo_store.refresh.policy import RefreshPolicy


class Leases:
    """Acquires, extends and ends leases, each with one command that checks who owns the lease.

    All times are the server's. ``clock`` asks for the time once, when a refresh is due, and the
    host's monotonic clock counts from there, so hosts whose clocks differ still agree.

    A lease and Zoho's limit belong to the credential. A cool-down belongs to the request that
    failed, so a corrected client secret or data centre is tried at once.
    """

    def __init__(
        self, collection: Callable[[], Collection[Document]], timeout: float, policy: RefreshPolicy
    ) -> None:
        """Create the leases of a store. Nothing is sent yet.

        Args:
            collection: Returns the collection of the leases. It may wait for a primary, which does
                not count towards the timeout of a command.
            timeout: Seconds that each command may take.
            policy: How long leases and cool-downs last.
        """
        self._collection = collection
        self._timeout = timeout
        self._policy = policy

    def clock(self) -> Clock:
        """Read the server's clock; see ``server_clock``."""
        return server_clock(self._collection().database, self._timeout)

    def acquire(
        self,
        key: str,
        request: str,
        now: datetime,
        replacing: str | None = None,
        *,
        token_id: str | None = None,
    ) -> Lease | None:
        """Take the lease if it is free, or if it has expired in the hands of ``replacing``.

        Args:
            key: The digest of the credential.
            request: The digest of the request to be sent.
            now: The server's time.
            replacing: The owner of an expired lease.
            token_id: The id of the token that it is for, which ``busy`` reports. ``None``: unknown.

        Returns:
            The lease. ``None`` if another process holds it, the request is cooling down, or ten
            requests have been counted in ten minutes.
        """
        owner = uuid.uuid4().hex
        collection = self._collection()
        with pymongo.timeout(self._timeout):
            try:
                taken = collection.find_one_and_update(
                    lease_document.acquirable(key, request, now, replacing),
                    lease_document.acquired(owner, token_id, now, now + self._policy.lease),
                    upsert=replacing is None,
                    return_document=ReturnDocument.AFTER,
                )
            except DuplicateKeyError:
                return None
        if taken is None or taken["owner"] != owner:
            return None
        return lease_document.lease_of(taken, request)

    def extend(self, lease: Lease, now: datetime) -> bool:
        """Restart the lease's time. Returns ``False`` if the lease has been lost."""
        return self._change(lease, {"$set": lease_document.extended(now + self._policy.lease)})

    def succeed(self, lease: Lease) -> bool:
        """End the lease after a success, and forget the past failures of this request."""
        return self._change(lease, lease_document.succeeded(lease))

    def fail(
        self, lease: Lease, failure: Failure, now: datetime, *, is_marked: bool = False
    ) -> datetime | None:
        """End the lease after a failure, which starts the fleet's cool-down for this request.

        Args:
            lease: The lease to end.
            failure: What went wrong.
            now: The server's time.
            is_marked: Whether the stored token says that a login is required. Nobody asks as long
                as it does, so no cool-down is needed.

        Returns:
            When the cool-down ends, or ``None`` if the lease has been lost.
        """
        before = lease.failure
        same_kind = before is not None and before.refused == failure.refused
        count = lease.failures + 1 if same_kind else 1
        cool_down = self._policy.cool_down(failure.refused, count)
        if failure.login_required:
            cool_down = timedelta(0) if is_marked else lease_document.LASTING_KEPT_FOR
        until = now + cool_down
        update = lease_document.failed(lease, failure, count, now, until)
        return until if self._change(lease, update) else None

    def release(self, lease: Lease, *, counted: bool) -> bool:
        """End the lease without an outcome.

        Args:
            lease: The lease to end.
            counted: Whether Zoho may have been asked, so that the request counts against its limit.
        """
        return self._change(lease, lease_document.released(lease, counted=counted))

    def read(self, key: str, request: str | None = None) -> LeaseState | None:
        """Read what is stored about a credential.

        Args:
            key: The digest of the credential.
            request: The request whose failures count. ``None``: the newest of any request.
        """
        collection = self._collection()
        with pymongo.timeout(self._timeout):
            stored = collection.find_one({"_id": key})
        return None if stored is None else lease_document.state_of(stored, request)

    def busy(self, now: datetime) -> Iterator[BusyLease]:
        """Read the leases that are held, cooling down or at Zoho's limit.

        Args:
            now: The server's time.
        """
        collection = self._collection()
        with pymongo.timeout(self._timeout):
            found = list(collection.find(lease_document.busy(now)))
        for stored in found:
            state = lease_document.state_of(stored, None)
            yield BusyLease(stored["_id"], stored.get("token_id"), state)

    def _change(self, lease: Lease, update: dict[str, Any]) -> bool:
        collection = self._collection()
        with pymongo.timeout(self._timeout):
            changed = collection.update_one({"_id": lease.key, "owner": lease.owner}, update)
        return changed.matched_count == 1
