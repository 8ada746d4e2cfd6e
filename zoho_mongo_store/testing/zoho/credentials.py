"""What the tokens of the loopback Zoho represent."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


class RefusalError(Exception):
    """Zoho refuses the request. The message is the ``error`` in its answer."""


@dataclass(frozen=True)
class Account:
    """A Zoho user who has given consent to a client.

    Attributes:
        user: The user's e-mail address.
        org: The id of the organization.
        client_id: The client.
        scopes: What the client may do. None: everything.
    """

    user: str
    org: str
    client_id: str
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Grant:
    """What a grant token represents.

    Attributes:
        account: The user and the client.
        redirect_uri: Where the authorize page sent it. None: it did not come from the page.
        offline: Whether it can be exchanged for a refresh token.
        expiry: When it expires. None: never.
    """

    account: Account
    redirect_uri: str | None = None
    offline: bool = True
    expiry: float | None = None


@dataclass(frozen=True)
class Issued:
    """The tokens that Zoho issues. A refresh issues no refresh token."""

    access_token: str
    refresh_token: str | None = None


@dataclass
class Login:
    """What a refresh token represents.

    Attributes:
        account: The user and the client.
        refresh_token: The refresh token; empty for a login without offline access.
        refreshed: The times of its refreshes, oldest first.
        live: Its live access tokens, oldest first, and when each expires.
    """

    account: Account
    refresh_token: str
    refreshed: deque[float] = field(default_factory=deque)
    live: dict[str, float] = field(default_factory=dict)
