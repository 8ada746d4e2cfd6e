"""What the loopback Zoho's handle and server share."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal, get_args

CLIENT_ID = "1000.LOOPBACKZOHOCLIENT0000000000000"
CLIENT_SECRET = "0loopback0zoho0client0secret0"  # noqa: S105 - made up, and good for nothing else
USER = "ada@example.com"
ORG = "10001"

LOCATIONS = ("us", "eu", "in", "au", "cn", "jp", "ca", "sa")

Kind = Literal[
    "authorize", "grant", "refresh", "revoke", "users", "org", "fields", "modules", "records"
]
Failure = Literal[
    "throttle",
    "invalid_code",
    "invalid_client",
    "invalid_client_secret",
    "invalid_redirect_uri",
    "general_error",
    "answer",
    "garbage",
    "server_error",
    "close",
    "reset",
    "hang",
    "hang_in_body",
    "drip",
]
Language = Literal["en", "zh"]


def digest(credential: str) -> str:
    """Return the short name of a credential in a list of requests: 16 hex digits of its SHA-256."""
    return hashlib.sha256(credential.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Request:
    """One request that the loopback Zoho has received.

    Attributes:
        kind: The kind of request: ``"authorize"`` (the page and its buttons), ``"grant"`` (the
            exchange of a grant token), ``"refresh"`` or ``"revoke"``; for the CRM API ``"users"``,
            ``"org"``, ``"fields"`` and ``"modules"`` (of the settings), or ``"records"``.
        time: When it was received, in seconds since the epoch on Zoho's clock.
        status: ``"ok"``, or the error in the answer (``"Access Denied"`` if throttled, in the
            configured language), or the configured failure: ``"garbage"``, ``"close"``, ...
        digest: The :func:`digest` of the grant, refresh or access token in the request; for an
            accepted ``"authorize"`` request, that of the grant token issued.
        method: The HTTP method.
        path: The path of the URL, such as ``"/crm/v8/Contacts/search"``.
    """

    kind: Kind
    time: float
    status: str
    digest: str
    method: str
    path: str


@dataclass(frozen=True)
class Refusal:
    """How requests to the CRM API are refused; see ``LoopbackZoho.refuse_with``."""

    code: str
    http_status: int | None = None
    requests: int | None = None

    def __post_init__(self) -> None:
        if self.requests is not None and self.requests < 1:
            raise ValueError("requests must be 1 or more")


@dataclass(frozen=True)
class Behaviour:
    """How the loopback Zoho answers; see ``LoopbackZoho.configure`` for each field."""

    delay: float = 0.0
    lifetime: int = 3600
    failure: Failure | None = None
    failures: int | None = None
    hang: float = 60.0
    answer: Any = None
    language: Language = "en"
    throttle_status: int = 400
    refusal_status: int = 200

    def __post_init__(self) -> None:
        if self.failure is not None and self.failure not in get_args(Failure):
            raise ValueError(f"failure must be None or one of {', '.join(get_args(Failure))}")
        if self.failures is not None and (self.failure is None or self.failures < 1):
            raise ValueError("failures must be 1 or more, and needs a failure")
        if self.delay < 0 or self.lifetime < 0 or self.hang < 0:
            raise ValueError("delay, lifetime and hang must be 0 seconds or more")
        if self.language not in get_args(Language):
            raise ValueError(f"language must be one of {', '.join(get_args(Language))}")
        if self.throttle_status not in (200, 400) or self.refusal_status not in (200, 400):
            raise ValueError(
                "throttle_status and refusal_status must be 200 or 400, the two that Zoho uses"
            )
