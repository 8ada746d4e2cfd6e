"""When tokens are refreshed, how long that may take, and how long to wait after a failure."""

from dataclasses import dataclass, fields
from datetime import timedelta

from zoho_mongo_store.errors import InvalidInputError

# Zoho's limit: at most 10 access tokens per refresh token in 10 minutes, then refusal.
ZOHO_REQUESTS = 10
ZOHO_WINDOW = timedelta(minutes=10)

_LONGEST_AHEAD = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class RefreshPolicy:
    """When the fleet refreshes a token, how long that may take, and what follows a failure.

    Use the same policy in all processes. Each field is a ``timedelta``.

    Attributes:
        lease: How long other processes wait for one that died during a refresh before one of them
            takes over. At least one second. Default: 20 seconds.
        request_timeout: How long one request to Zoho may take in total, from resolving the name to
            the last byte of the answer. Keep it below ``lease``. If it is longer, the requesting
            process extends its lease until the request ends. Default: 15 seconds.
        ahead: How long before its expiry a token is refreshed. One process does so in the
            background while all others keep using the token. At most 30 minutes; zero turns early
            refreshes off. Default: 60 seconds, so a token in steady use never expires.
        network_cool_down: How long nobody asks Zoho after a first request without a usable answer.
            It doubles with each further one. Default: 1 second, since network faults are often
            brief.
        refusal_cool_down: How long nobody asks Zoho after a first refusal. It doubles too. A
            refresh token that Zoho refuses permanently is tried once more after this time. Default:
            60 seconds, since each try counts against Zoho's limit.
        longest_cool_down: The longest cool-down, at which the doubling ends. Default: 10 minutes,
            the period of Zoho's own limit.

    Raises:
        InvalidInputError: A value is not a ``timedelta``, is negative or is out of range.
    """

    lease: timedelta = timedelta(seconds=20)
    request_timeout: timedelta = timedelta(seconds=15)
    ahead: timedelta = timedelta(seconds=60)
    network_cool_down: timedelta = timedelta(seconds=1)
    refusal_cool_down: timedelta = timedelta(seconds=60)
    longest_cool_down: timedelta = timedelta(minutes=10)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, timedelta) or value < timedelta(0):
                raise InvalidInputError(f"{field.name} must be a timedelta of zero or more")
        if self.lease < timedelta(seconds=1):
            raise InvalidInputError("lease must be at least one second")
        if not self.request_timeout:
            raise InvalidInputError("request_timeout must be longer than zero")
        if self.ahead > _LONGEST_AHEAD:
            raise InvalidInputError(
                "ahead must be at most 30 minutes, half the lifetime of an access token"
            )

    def cool_down(self, refused: bool, failures: int) -> timedelta:
        """How long nobody asks Zoho after this many consecutive failures.

        Args:
            refused: Whether Zoho refused; otherwise it gave no usable answer.
            failures: The number of consecutive failures of this kind, including the latest.
        """
        first = self.refusal_cool_down if refused else self.network_cool_down
        factor: int = 1 << min(failures - 1, 32)
        return min(first * factor, self.longest_cool_down)


DEFAULT_POLICY = RefreshPolicy()
