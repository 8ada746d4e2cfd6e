"""How long a process may reuse a token that it has found."""

from dataclasses import dataclass
from datetime import timedelta

from zoho_mongo_store.errors import InvalidInputError

_NONE = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class CachePolicy:
    """How long a process may reuse a token that it has found, without asking MongoDB.

    The terms are those of HTTP caching (RFC 9111, RFC 5861). While a token is reused, the process
    does not see that another one deleted or revoked it, or stored a new login. Cached tokens are in
    the process's memory in plain text, even if they are encrypted in MongoDB.

    Attributes:
        max_age: How long after a find the same token is found again without a command. Default:
            zero, so every find asks MongoDB.
        stale_if_error: How long after an outage began, finds return tokens that were found before
            it, whatever their age. Default: zero.
        max_tokens: The maximum number of cached tokens. When it is reached, the least recently used
            token is dropped. Default: 10,000.

    Raises:
        InvalidInputError: A value has the wrong type or is out of range, or both times are zero.
    """

    max_age: timedelta = _NONE
    stale_if_error: timedelta = _NONE
    max_tokens: int = 10_000

    def __post_init__(self) -> None:
        for name in ("max_age", "stale_if_error"):
            value = getattr(self, name)
            if not isinstance(value, timedelta) or value < _NONE:
                raise InvalidInputError(f"{name} must be a timedelta of zero or more")
        if not (self.max_age or self.stale_if_error):
            raise InvalidInputError("max_age or stale_if_error must be longer than zero")
        number = self.max_tokens
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise InvalidInputError("max_tokens must be a positive int")
