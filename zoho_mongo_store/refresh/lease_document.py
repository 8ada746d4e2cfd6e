"""A lease as a document: the filters and updates of its commands, and how it is read.

Pure functions. All times are the server's.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from zoho_mongo_store.refresh.lease import Failure, Lease, LeaseState
from zoho_mongo_store.refresh.policy import ZOHO_REQUESTS, ZOHO_WINDOW
from zoho_mongo_store.storage.token_indexes import BUSY_FIELD

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# Zoho counts a request when it arrives, the store before it is sent, each on its own clock.
_COUNTED_FOR = ZOHO_WINDOW + timedelta(seconds=30)
# After the end of the lease or the cool-down: longer than any request counts.
_KEPT_FOR = timedelta(hours=1)
LASTING_KEPT_FOR = timedelta(days=30)
"""How long a lasting refusal is kept, to be confirmed by another or to recognize a spent grant
token."""
_AT_LIMIT = f"requests.{ZOHO_REQUESTS - 1}"
_NEWEST_REQUEST = 1

Fields = dict[str, Any]


def acquirable(key: str, request: str, now: datetime, replacing: str | None) -> Fields:
    """Match a lease that may be used now and is free, or has expired under ``replacing``."""
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
    """Match the leases that are held, cooling down or at Zoho's limit, using their index."""
    return {BUSY_FIELD: {"$gt": now}}


def acquired(owner: str, token_id: str | None, now: datetime, until: datetime) -> Fields:
    """Take a lease and count the request that is about to be sent."""
    named = {} if token_id is None else {"token_id": token_id}
    return {
        "$set": {"owner": owner, **extended(until), **named},
        "$max": {"purge_at": until + _KEPT_FOR},
        "$push": {"requests": {"$each": [now], "$slice": -ZOHO_REQUESTS}},
    }


def extended(until: datetime) -> Fields:
    """Set when a lease expires."""
    return {"until": until, BUSY_FIELD: until}


def succeeded(lease: Lease) -> Fields:
    """End a lease after a success, and forget the past failures of its request."""
    update = released(lease, counted=True)
    update["$unset"][f"failures.{lease.request}"] = ""
    return update


def failed(lease: Lease, failure: Failure, count: int, now: datetime, until: datetime) -> Fields:
    """End a lease after a failure, whose cool-down lasts until ``until``."""
    kept_for = LASTING_KEPT_FOR if failure.lasting else _KEPT_FOR
    stored = {
        **failure._asdict(),
        "until": until,
        "count": count,
        "owner": lease.owner,
        "at": now,
    }
    return {
        "$set": {
            BUSY_FIELD: max(until, lease.limited_until),
            f"failures.{lease.request}": stored,
        },
        "$max": {"purge_at": until + kept_for},
        "$unset": {"owner": ""},
    }


def released(lease: Lease, *, counted: bool) -> Fields:
    """End a lease without an outcome. If Zoho cannot have been asked, no request is counted."""
    if counted and lease.limited_until > _LONG_AGO:
        return {"$unset": {"owner": ""}, "$set": {BUSY_FIELD: lease.limited_until}}
    update: Fields = {"$unset": {"owner": "", BUSY_FIELD: ""}}
    if not counted:
        update["$pop"] = {"requests": _NEWEST_REQUEST}
    return update


def lease_of(stored: Mapping[str, Any], request: str) -> Lease:
    """Read a lease that has just been taken."""
    last = stored.get("failures", {}).get(request, {})
    limited_until = _limited_until(stored)
    is_limited = limited_until > stored["requests"][-1]
    return Lease(
        key=stored["_id"],
        request=request,
        owner=stored["owner"],
        until=stored["until"],
        failures=last.get("count", 0),
        failure=_failure(last),
        limited_until=limited_until if is_limited else _LONG_AGO,
    )


def state_of(stored: Mapping[str, Any], request: str | None) -> LeaseState:
    """Read what is stored about a credential.

    Args:
        stored: The document.
        request: The request whose failures count. ``None``: the newest of any request.
    """
    failures = stored.get("failures", {})
    last: Mapping[str, Any]
    if request is None:
        last = max(failures.values(), key=lambda one: one["at"], default={})
    else:
        last = failures.get(request, {})
    limited_until = _limited_until(stored)
    return LeaseState(
        owner=stored.get("owner"),
        until=stored["until"],
        retry_after=max(last.get("until", _LONG_AGO), limited_until),
        failure=_failure(last),
        failed_owner=last.get("owner"),
        failed_at=last.get("at"),
        limited_until=limited_until,
        limited_since=next(reversed(stored.get("requests", [])), None),
    )


def _limited_until(stored: Mapping[str, Any]) -> datetime:
    """When Zoho's limit lets the next request through."""
    requests = stored.get("requests", [])
    if len(requests) < ZOHO_REQUESTS:
        return _LONG_AGO
    ends: datetime = requests[0] + _COUNTED_FOR
    return ends


def _failure(stored: Mapping[str, Any]) -> Failure | None:
    return Failure(*(stored[field] for field in Failure._fields)) if stored else None
