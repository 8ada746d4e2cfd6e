"""What the fleet shares about one credential: who holds its lease, and how the last one ended."""

import hashlib
from datetime import datetime
from typing import NamedTuple


class Failure(NamedTuple):
    """Why Zoho gave no token, without any secret.

    Attributes:
        code: The SDK's code.
        message: What Zoho said, or what went wrong before it could answer.
        refused: Whether Zoho refused; otherwise there was no usable answer.
        lasting: Whether asking again with the same credential is pointless.
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
        request: The digest of the request to be sent.
        owner: Its holder, unique to each lease.
        until: When it expires, unless it is extended.
        failures: The number of consecutive failures of the same kind for this request.
        failure: The last of them, or ``None``.
        limited_until: When Zoho's limit allows the next request; a date long past if the limit is
            not reached.
    """

    key: str
    request: str
    owner: str
    until: datetime
    failures: int
    failure: Failure | None
    limited_until: datetime


class LeaseState(NamedTuple):
    """What is stored about one credential.

    Attributes:
        owner: The holder of the lease, or ``None``.
        until: When the lease expires.
        retry_after: When the next request may be sent: at the end of the cool-down or of Zoho's
            own window.
        failure: The last failure, or ``None``.
        failed_owner: The holder of the lease at that failure.
        failed_at: The time of that failure.
        limited_until: When Zoho's limit allows the next request.
        limited_since: When the newest counted request was sent.
    """

    owner: str | None
    until: datetime
    retry_after: datetime
    failure: Failure | None
    failed_owner: str | None
    failed_at: datetime | None
    limited_until: datetime
    limited_since: datetime | None


class BusyLease(NamedTuple):
    """A lease that is held, cooling down or at Zoho's limit.

    Attributes:
        key: The digest of the credential.
        token_id: The id of the token for which it was last taken; ``None`` if it was not stored.
        state: What is stored about the credential.
    """

    key: str
    token_id: str | None
    state: LeaseState


def lease_key(kind: str, credential: str) -> str:
    """Return the key of a credential's lease: a digest, which does not reveal the credential."""
    return hashlib.sha256(f"{kind}\0{credential}".encode()).hexdigest()
