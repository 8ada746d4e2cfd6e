"""The lease: who may redeem a credential at Zoho, agreed on by the whole fleet in MongoDB."""

import hashlib
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pymongo
from bson.codec_options import CodecOptions
from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from zoho_mongo_store.driver.retry import retry_once
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.refresh.policy import ZOHO_REQUESTS, ZOHO_WINDOW, RefreshPolicy

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# Zoho counts when a request arrives, this counts when one is about to be sent, each on its clock.
_WINDOW_MARGIN = timedelta(seconds=30)
# After the lease or the cool-down: longer than any request counts.
_KEPT_FOR = timedelta(hours=1)
_NEWEST_REQUEST = 1


class Failure(NamedTuple):
    """Why Zoho gave no token, without any secret."""

    code: str
    message: str
    refused: bool
    """Zoho answered, and said no; else it could not be reached or understood."""


class Lease(NamedTuple):
    """The right to redeem one credential, held by ``owner``."""

    key: str
    owner: str
    failures: int
    """How many of the last kind of failure in a row went before."""
    refused: bool
    """Of which kind they were."""


class LeaseState(NamedTuple):
    """What stands in MongoDB about one credential."""

    owner: str | None
    until: datetime
    retry_after: datetime
    """No request before: the end of the cool-down, or of Zoho's own window."""
    failure: Failure | None
    failed_owner: str | None
    """The holder whose request failed last."""


def lease_key(kind: str, credential: str) -> str:
    """The key of the lease for a credential: a digest, which gives nothing away."""
    return hashlib.sha256(f"{kind}\0{credential}".encode()).hexdigest()


class Leases:
    """Acquire, extend and end leases, each in one command that checks whose the lease is.

    All times are the server's: ``now`` is asked of it once, when a refresh is due, and a host's own
    clock only counts on from there. Hosts whose clocks differ agree.

    collection: gives the collection of leases.
    timeout: seconds that each command may take.
    """

    def __init__(
        self, collection: Callable[[], Collection[Document]], timeout: float, policy: RefreshPolicy
    ) -> None:
        self._collection = collection
        self._timeout = timeout
        self._policy = policy

    def clock(self) -> Callable[[], datetime]:
        """The server's clock, as exact as half a round trip."""
        return retry_once(self._read_clock)

    def _read_clock(self) -> Callable[[], datetime]:
        database = self._collection().database
        before = time.monotonic()
        try:
            with pymongo.timeout(self._timeout):
                hello: dict[str, Any] = database.client.admin.command(
                    "hello", codec_options=CodecOptions(tz_aware=True)
                )
        except NotImplementedError:
            # mongomock has no server, so one clock.
            hello = {"localTime": datetime.now(UTC)}
        after = time.monotonic()
        at_start = hello["localTime"] - timedelta(seconds=(after - before) / 2)
        return lambda: at_start + timedelta(seconds=time.monotonic() - before)

    def acquire(self, key: str, now: datetime, replacing: str | None = None) -> Lease | None:
        """Take the lease if it is free, or the one that ``replacing`` let run out; ``None`` if not.

        Refused too during a cool-down, and once ten requests were counted in ten minutes.
        """
        owner = uuid.uuid4().hex
        held: dict[str, Any] = {"owner": {"$exists": False}}
        if replacing is not None:
            held = {"owner": replacing, "until": {"$lte": now}}
        oldest_counted = now - ZOHO_WINDOW - _WINDOW_MARGIN
        candidate = {
            "_id": key,
            **held,
            "cooling_until": {"$lte": now},
            "$or": [
                {f"requests.{ZOHO_REQUESTS - 1}": {"$exists": False}},
                {"requests.0": {"$lte": oldest_counted}},
            ],
        }
        update = {
            "$set": {
                "owner": owner,
                "until": now + self._policy.lease,
                "purge_at": now + self._policy.lease + _KEPT_FOR,
            },
            "$setOnInsert": {"cooling_until": _LONG_AGO},
            "$push": {"requests": {"$each": [now], "$slice": -ZOHO_REQUESTS}},
        }
        with pymongo.timeout(self._timeout):
            try:
                taken = self._collection().find_one_and_update(
                    candidate,
                    update,
                    upsert=replacing is None,
                    return_document=ReturnDocument.AFTER,
                )
            except DuplicateKeyError:
                return None
        if taken is None or taken["owner"] != owner:
            return None
        return Lease(key, owner, taken.get("failures", 0), taken.get("refused", False))

    def extend(self, lease: Lease, now: datetime) -> bool:
        """Begin the lease anew; ``False`` if it is another's by now."""
        return self._change(lease, {"$set": {"until": now + self._policy.lease}})

    def succeed(self, lease: Lease) -> bool:
        """End the lease with a token got; past failures are forgotten."""
        settled = {"cooling_until": _LONG_AGO, "failures": 0}
        over = {"owner": "", "error": "", "failed_owner": ""}
        return self._change(lease, {"$set": settled, "$unset": over})

    def fail(self, lease: Lease, failure: Failure, now: datetime) -> bool:
        """End the lease with a failure, which begins the fleet's cool-down."""
        same_kind = failure.refused == lease.refused
        failures = lease.failures + 1 if same_kind else 1
        cooling_until = now + self._policy.cool_down(failure.refused, failures)
        resting = {
            "cooling_until": cooling_until,
            "purge_at": cooling_until + _KEPT_FOR,
            "failures": failures,
            "refused": failure.refused,
            "error": {"code": failure.code, "message": failure.message},
            "failed_owner": lease.owner,
        }
        return self._change(lease, {"$set": resting, "$unset": {"owner": ""}})

    def release(self, lease: Lease, *, counted: bool) -> bool:
        """End the lease without an outcome.

        counted: whether Zoho may have been asked, so that the request counts against its limit.
        """
        update: dict[str, Any] = {"$unset": {"owner": ""}}
        if not counted:
            update["$pop"] = {"requests": _NEWEST_REQUEST}
        return self._change(lease, update)

    def read(self, key: str) -> LeaseState | None:
        """What stands about the credential with this key."""
        with pymongo.timeout(self._timeout):
            stored = self._collection().find_one({"_id": key})
        if stored is None:
            return None
        requests = stored.get("requests", [])
        retry_after = stored.get("cooling_until", _LONG_AGO)
        if len(requests) >= ZOHO_REQUESTS:
            retry_after = max(retry_after, requests[0] + ZOHO_WINDOW + _WINDOW_MARGIN)
        error = stored.get("error")
        return LeaseState(
            owner=stored.get("owner"),
            until=stored["until"],
            retry_after=retry_after,
            failure=error and Failure(error["code"], error["message"], stored["refused"]),
            failed_owner=stored.get("failed_owner"),
        )

    def _change(self, lease: Lease, update: dict[str, Any]) -> bool:
        with pymongo.timeout(self._timeout):
            changed = self._collection().update_one(
                {"_id": lease.key, "owner": lease.owner}, update
            )
        return changed.matched_count == 1
