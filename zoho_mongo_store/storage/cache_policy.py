"""How long a process may go on with a token that it found."""

from dataclasses import dataclass
from datetime import timedelta

from zoho_mongo_store.errors import InvalidInputError

_NONE = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class CachePolicy:
    """How long a process may go on with a token that it found, without asking MongoDB.

    The terms are those of HTTP (RFC 9111, RFC 5861). For as long, a deletion, a revocation or a new
    login by another process goes unseen, and tokens are in the process's memory in plain, also
    where they are encrypted in MongoDB.

    Attributes:
        max_age: How long after a find the same token is found again without a command. Default:
            zero, every find asks MongoDB.
        stale_if_error: How long after the beginning of an outage a token that was found before is
            found still, however old that find is. Default: zero.
        max_tokens: How many tokens are held at most; the least recently used one goes first.
            Default: 10,000.

    Raises:
        InvalidInputError: A value is of a wrong type or out of range, or both times are zero.
    """

    max_age: timedelta = _NONE
    stale_if_error: timedelta = _NONE
    max_tokens: int = 10_000

    def __post_init__(self) -> None:
        for name in ("max_age", "stale_if_error"):
            value = getattr(self, name)
            if not isinstance(value, timedelta) or value < _NONE:
                raise InvalidInputError(f"{name} has to be a timedelta, and not negative")
        if not (self.max_age or self.stale_if_error):
            raise InvalidInputError("one of max_age and stale_if_error has to be longer than zero")
        number = self.max_tokens
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise InvalidInputError("max_tokens has to be a positive int")
