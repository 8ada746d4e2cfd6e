"""A lease as a document: what a command looks for, what it writes, and what it reads.

Pure functions. All times are the server's.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from zoho_mongo_store.refresh.lease import Failure, Lease, LeaseState
from zoho_mongo_store.refresh.policy import ZOHO_REQUESTS, ZOHO_WINDOW

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# Zoho counts when a request arrives, this counts when one is about to be sent, each on its clock.
_COUNTED_FOR = ZOHO_WINDOW + timedelta(seconds=30)
# After the lease or the cool-down: longer than any request counts.
_KEPT_FOR = timedelta(hours=1)
LASTING_KEPT_FOR = timedelta(days=30)
"""How long a lasting refusal waits for the one that confirms it, and a spent grant token is
known."""
_AT_LIMIT = f"requests.{ZOHO_REQUESTS - 1}"
_NEWEST_REQUEST = 1

Fields = dict[str, Any]


def acquirable(key: str, request: str, now: datetime, replacing: str | None) -> Fields:
    """Match a lease that is free, or has run out under ``replacing``, and may be used now."""
    held: Fields = {"owner": {"$exists": False}}
    if replacing is not None:
        held = {"owner": replacing, "until": {"$lte": now}}
    return {
        "_id": key,
        **held,
        f"failures.{request}.until": {"$not": {"$gt": now}},
        "$or": [
            {_AT_LIMIT: {"$exists": False}},
            {"requests.0": {"$lte": now - _COUNTED_FOR}},
        ],
    }


def busy(now: datetime) -> Fields:
    """Match the leases that are held, cooling down or at Zoho's limit.

    They are few among many that are over, so they are found by the index on ``purge_at``, which is
    an hour at least after each of these ends.
    """
    recent = {"purge_at": {"$gt": now + _KEPT_FOR - _COUNTED_FOR}}
    held = {"owner": {"$exists": True}}
    cooling = {"cooling_until": {"$gt": now}}
    at_limit = {_AT_LIMIT: {"$exists": True}}
    return {**recent, "$or": [held, cooling, at_limit]}


def acquired(owner: str, now: datetime, until: datetime) -> Fields:
    """Take a lease, and count the request that is about to be sent."""
    return {
        "$set": {"owner": owner, "until": until},
        "$max": {"purge_at": until + _KEPT_FOR},
        "$push": {"requests": {"$each": [now], "$slice": -ZOHO_REQUESTS}},
    }


def succeeded(lease: Lease) -> Fields:
    """End a lease with a token got; the past failures of its request are forgotten."""
    return {"$unset": {"owner": "", "cooling_until": "", f"failures.{lease.request}": ""}}


def failed(lease: Lease, failure: Failure, count: int, now: datetime, until: datetime) -> Fields:
    """End a lease with a failure, whose cool-down lasts until ``until``."""
    kept_for = LASTING_KEPT_FOR if failure.lasting else _KEPT_FOR
    stored = {
        **failure._asdict(),
        "until": until,
        "count": count,
        "owner": lease.owner,
        "at": now,
    }
    return {
        "$set": {"cooling_until": until, f"failures.{lease.request}": stored},
        "$max": {"purge_at": until + kept_for},
        "$unset": {"owner": ""},
    }


def released(*, counted: bool) -> Fields:
    """End a lease without an outcome; if Zoho cannot have been asked, no request is counted."""
    update: Fields = {"$unset": {"owner": ""}}
    if not counted:
        update["$pop"] = {"requests": _NEWEST_REQUEST}
    return update


def lease_of(stored: Mapping[str, Any], request: str) -> Lease:
    """Read the lease that has just been taken."""
    last = stored.get("failures", {}).get(request, {})
    owner, until = stored["owner"], stored["until"]
    return Lease(stored["_id"], request, owner, until, last.get("count", 0), _failure(last))


def state_of(stored: Mapping[str, Any], request: str | None) -> LeaseState:
    """Read what is stored about a credential.

    Args:
        stored: The document.
        request: Whose failures count. ``None``: the newest of any request.
    """
    failures = stored.get("failures", {})
    last: Mapping[str, Any]
    if request is None:
        last = max(failures.values(), key=lambda one: one["at"], default={})
    else:
        last = failures.get(request, {})
    requests = stored.get("requests", [])
    retry_after: datetime = last.get("until", _LONG_AGO)
    if len(requests) >= ZOHO_REQUESTS:
        retry_after = max(retry_after, requests[0] + _COUNTED_FOR)
    return LeaseState(
        owner=stored.get("owner"),
        until=stored["until"],
        retry_after=retry_after,
        failure=_failure(last),
        failed_owner=last.get("owner"),
    )


def _failure(stored: Mapping[str, Any]) -> Failure | None:
    return Failure(*(stored[field] for field in Failure._fields)) if stored else None
