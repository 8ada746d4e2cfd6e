"""What the fleet agrees on about one credential: who holds its lease, and how the last ended."""

import hashlib
from datetime import datetime
from typing import NamedTuple


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
        limited_until: When Zoho's limit lets the next request through; long ago where this one does
            not reach it.
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
        owner: Who holds the lease, or ``None``.
        until: When it runs out.
        retry_after: When the next request may be sent: the end of the cool-down, or of Zoho's own
            window.
        failure: The last failure, or ``None``.
        failed_owner: Who held the lease then.
        failed_at: When that was.
        limited_until: When Zoho's limit lets the next request through.
        limited_since: When the newest request that counts was sent.
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
        token_id: The id of the token for which it was taken last; ``None`` if that was not stored.
        state: What is stored about the credential.
    """

    key: str
    token_id: str | None
    state: LeaseState


def lease_key(kind: str, credential: str) -> str:
    """Make the key of the lease for a credential: a digest, which gives nothing away."""
    return hashlib.sha256(f"{kind}\0{credential}".encode()).hexdigest()
