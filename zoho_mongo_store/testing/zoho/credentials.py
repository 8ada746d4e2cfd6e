"""What the tokens of the loopback Zoho stand for."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


class RefusalError(Exception):
    """Zoho refuses the request; the text is the value of ``error`` in its answer."""


@dataclass(frozen=True)
class Account:
    """A Zoho user who has let a client in.

    Attributes:
        user: The user's e-mail address.
        org: The id of the organization.
        client_id: The client.
        scopes: What the client may do; None stands for everything.
    """

    user: str
    org: str
    client_id: str
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Grant:
    """What a grant token stands for.

    Attributes:
        account: Who gave it, to whom.
        redirect_uri: Where the authorize page sent it, and None where no page did.
        offline: Whether it can be exchanged for a refresh token.
        expiry: When it can be exchanged no more; None stands for never.
    """

    account: Account
    redirect_uri: str | None = None
    offline: bool = True
    expiry: float | None = None


@dataclass(frozen=True)
class Issued:
    """What Zoho hands out; a refresh gives no refresh token."""

    access_token: str
    refresh_token: str | None = None


@dataclass
class Login:
    """What one refresh token stands for.

    Attributes:
        account: Whose login it is.
        refresh_token: The refresh token; empty for a login without offline access.
        refreshed: When it was refreshed, oldest first.
        live: Its access tokens, oldest first, with the time at which each expires.
    """

    account: Account
    refresh_token: str
    refreshed: deque[float] = field(default_factory=deque)
    live: dict[str, float] = field(default_factory=dict)
