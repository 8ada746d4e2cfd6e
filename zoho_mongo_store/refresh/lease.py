"""The lease: who may redeem a credential at Zoho, agreed on by the whole fleet in MongoDB."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pymongo
from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from zoho_mongo_store.driver.server_clock import Clock, server_clock
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.refresh.policy import ZOHO_REQUESTS, ZOHO_WINDOW, RefreshPolicy

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# Zoho counts when a request arrives, this counts when one is about to be sent, each on its clock.
_WINDOW_MARGIN = timedelta(seconds=30)
# After the lease or the cool-down: longer than any request counts.
_KEPT_FOR = timedelta(hours=1)
# How long a lasting refusal waits for the one that confirms it, and a spent grant token is known.
_LASTING_KEPT_FOR = timedelta(days=30)
_NEWEST_REQUEST = 1


class Failure(NamedTuple):
    """Why Zoho gave no token, without any secret.

    Attributes:
        code: The SDK's code.
        message: What Zoho said, or what went wrong on the way.
        refused: Whether Zoho answered and said no; else there was no usable answer.
        lasting: Whether asking again with the same credential is of no use.
        login_required: Whether that has been confirmed, so that the user has to log in again.
    """

    code: str
    message: str
    refused: bool
    lasting: bool = False
    login_required: bool = False


class Lease(NamedTuple):
    """The right to redeem one credential.

    Attributes:
        key: The digest of the credential.
        request: The digest of the request that is to be sent.
        owner: Who holds it; no other lease has the same.
        until: When it runs out, unless it is extended.
        failures: How many failures of the last kind in a row this request has had.
        failure: The last of them, or ``None``.
    """

    key: str
    request: str
    owner: str
    until: datetime
    failures: int
    failure: Failure | None


class LeaseState(NamedTuple):
    """What stands in MongoDB about one credential.

    Attributes:
        owner: Who holds the lease, or ``None``.
        until: When it runs out.
        retry_after: When the next request may be sent: the end of the cool-down, or of Zoho's own
            window.
        failure: The last failure, or ``None``.
        failed_owner: Who held the lease then.
    """

    owner: str | None
    until: datetime
    retry_after: datetime
    failure: Failure | None
    failed_owner: str | None


def lease_key(kind: str, credential: str) -> str:
    """Make the key of the lease for a credential: a digest, which gives nothing away."""
    return hashlib.sha256(f"{kind}\0{credential}".encode()).hexdigest()


class Leases:
    """Acquires, extends and ends leases, each in one command that checks whose the lease is.

    All times are the server's: ``clock`` asks it once, when a refresh is due, and a host's own
    clock only counts on from there. Hosts whose clocks differ agree.

    A lease and Zoho's limit belong to the credential. A cool-down belongs to the request that
    failed, so a corrected client secret or data centre is tried at once.
    """

    def __init__(
        self, collection: Callable[[], Collection[Document]], timeout: float, policy: RefreshPolicy
    ) -> None:
        """Create the leases of a store; nothing is sent yet.

        Args:
            collection: Gives the collection that they are in.
            timeout: Seconds that each command may take.
            policy: How long they last, and how long a cool-down does.
        """
        self._collection = collection
        self._timeout = timeout
        self._policy = policy

    def clock(self) -> Clock:
        """Read the server's clock; see ``server_clock``."""
        return server_clock(self._collection().database, self._timeout)

    def acquire(
        self, key: str, request: str, now: datetime, replacing: str | None = None
    ) -> Lease | None:
        """Take the lease if it is free, or the one that ``replacing`` let run out.

        Args:
            key: The digest of the credential.
            request: The digest of the request that is to be sent.
            now: The server's time.
            replacing: The owner of a lease that has run out.

        Returns:
            The lease, or ``None``: it is another's, the request is cooling down, or ten requests
            were counted in ten minutes.
        """
        owner = uuid.uuid4().hex
        until = now + self._policy.lease
        held: dict[str, Any] = {"owner": {"$exists": False}}
        if replacing is not None:
            held = {"owner": replacing, "until": {"$lte": now}}
        oldest_counted = now - ZOHO_WINDOW - _WINDOW_MARGIN
        candidate = {
            "_id": key,
            **held,
            f"failures.{request}.until": {"$not": {"$gt": now}},
            "$or": [
                {f"requests.{ZOHO_REQUESTS - 1}": {"$exists": False}},
                {"requests.0": {"$lte": oldest_counted}},
            ],
        }
        update = {
            "$set": {"owner": owner, "until": until},
            "$max": {"purge_at": until + _KEPT_FOR},
            "$push": {"requests": {"$each": [now], "$slice": -ZOHO_REQUESTS}},
        }
        # It may wait for a primary, which is not to cost the command its time.
        collection = self._collection()
        with pymongo.timeout(self._timeout):
            try:
                taken = collection.find_one_and_update(
                    candidate,
                    update,
                    upsert=replacing is None,
                    return_document=ReturnDocument.AFTER,
                )
            except DuplicateKeyError:
                return None
        if taken is None or taken["owner"] != owner:
            return None
        failed = taken.get("failures", {}).get(request, {})
        return Lease(key, request, owner, until, failed.get("count", 0), _failure(failed))

    def extend(self, lease: Lease, now: datetime) -> bool:
        """Begin the lease anew; ``False`` if it is another's by now."""
        until = now + self._policy.lease
        return self._change(lease, {"$set": {"until": until}})

    def succeed(self, lease: Lease) -> bool:
        """End the lease with a token got; the past failures of this request are forgotten."""
        over = {"owner": "", "cooling_until": "", f"failures.{lease.request}": ""}
        return self._change(lease, {"$unset": over})

    def fail(
        self, lease: Lease, failure: Failure, now: datetime, *, is_marked: bool = False
    ) -> datetime | None:
        """End the lease with a failure, which begins the fleet's cool-down for this request.

        Args:
            lease: What to end.
            failure: Why.
            now: The server's time.
            is_marked: Whether the stored token says that a login is required. That holds everybody
                off for as long as it stands, so there is no cool-down.

        Returns:
            When that ends, or ``None`` if the lease is another's by now.
        """
        before = lease.failure
        same_kind = before is not None and before.refused == failure.refused
        count = lease.failures + 1 if same_kind else 1
        cool_down = self._policy.cool_down(failure.refused, count)
        if failure.login_required:
            cool_down = timedelta(0) if is_marked else _LASTING_KEPT_FOR
        cooling_until = now + cool_down
        kept_for = _LASTING_KEPT_FOR if failure.lasting else _KEPT_FOR
        failed = {
            **failure._asdict(),
            "until": cooling_until,
            "count": count,
            "owner": lease.owner,
            "at": now,
        }
        update = {
            "$set": {"cooling_until": cooling_until, f"failures.{lease.request}": failed},
            "$max": {"purge_at": cooling_until + kept_for},
            "$unset": {"owner": ""},
        }
        return cooling_until if self._change(lease, update) else None

    def release(self, lease: Lease, *, counted: bool) -> bool:
        """End the lease without an outcome.

        Args:
            lease: What to end.
            counted: Whether Zoho may have been asked, so that the request counts against its limit.
        """
        update: dict[str, Any] = {"$unset": {"owner": ""}}
        if not counted:
            update["$pop"] = {"requests": _NEWEST_REQUEST}
        return self._change(lease, update)

    def read(self, key: str, request: str | None = None) -> LeaseState | None:
        """Read what stands about a credential.

        Args:
            key: The digest of the credential.
            request: Whose failures count. ``None``: the newest of any request.
        """
        # It may wait for a primary, which is not to cost the command its time.
        collection = self._collection()
        with pymongo.timeout(self._timeout):
            stored = collection.find_one({"_id": key})
        if stored is None:
            return None
        failures = stored.get("failures", {})
        failed: Mapping[str, Any]
        if request is None:
            failed = max(failures.values(), key=lambda one: one["at"], default={})
        else:
            failed = failures.get(request, {})
        requests = stored.get("requests", [])
        retry_after: datetime = failed.get("until", _LONG_AGO)
        if len(requests) >= ZOHO_REQUESTS:
            retry_after = max(retry_after, requests[0] + ZOHO_WINDOW + _WINDOW_MARGIN)
        return LeaseState(
            owner=stored.get("owner"),
            until=stored["until"],
            retry_after=retry_after,
            failure=_failure(failed),
            failed_owner=failed.get("owner"),
        )

    def busy(self, now: datetime) -> set[str]:
        """Read the keys of the leases that are held, cooling down or at Zoho's limit.

        They are few among many that are over, so they are found by the index on ``purge_at``, which
        is an hour at least after each of these ends.

        Args:
            now: The server's time.
        """
        recent = {"purge_at": {"$gt": now + _KEPT_FOR - ZOHO_WINDOW - _WINDOW_MARGIN}}
        held = {"owner": {"$exists": True}}
        cooling = {"cooling_until": {"$gt": now}}
        at_limit = {f"requests.{ZOHO_REQUESTS - 1}": {"$exists": True}}
        # It may wait for a primary, which is not to cost the command its time.
        collection = self._collection()
        with pymongo.timeout(self._timeout):
            found = collection.find({**recent, "$or": [held, cooling, at_limit]}, {"_id": 1})
            return {lease["_id"] for lease in found}

    def _change(self, lease: Lease, update: dict[str, Any]) -> bool:
        # It may wait for a primary, which is not to cost the command its time.
        collection = self._collection()
        with pymongo.timeout(self._timeout):
            changed = collection.update_one({"_id": lease.key, "owner": lease.owner}, update)
        return changed.matched_count == 1


def _failure(stored: Mapping[str, Any]) -> Failure | None:
    return Failure(*(stored[field] for field in Failure._fields)) if stored else None
