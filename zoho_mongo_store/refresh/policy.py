"""How long the refresh of a token may take, begin early, and rest after a failure."""

from dataclasses import dataclass, fields
from datetime import timedelta

from zoho_mongo_store.errors import InvalidInputError

# Zoho's limit: at most 10 access tokens per refresh token in 10 minutes, then refusal.
ZOHO_REQUESTS = 10
ZOHO_WINDOW = timedelta(minutes=10)

_LONGEST_AHEAD = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class RefreshPolicy:
    """When a token is refreshed, by whom, and what follows a failure.

    All processes should have the same policy. Each field is a ``timedelta``.

    Attributes:
        lease: How long the others wait for a process that has died in a refresh before one of them
            takes over. At least a second. Default: 20 seconds.
        request_timeout: How long one request to Zoho may take in all: resolving the name,
            connecting and the whole answer. Keep it below ``lease``; where it is longer, the
            process that asks extends its lease for as long as its request is under way. Default: 15
            seconds.
        ahead: How long before its expiry a token is refreshed in the background, by one process,
            while all others go on with it. At most 30 minutes; zero turns it off. Default: 60
            seconds, so a token in steady use never expires under its users.
        network_cool_down: How long nobody asks after a first request that got no usable answer. It
            doubles with each further one. Default: 1 second, since such faults often pass at once.
        refusal_cool_down: How long nobody asks after Zoho first refused. It doubles too. A refresh
            token that Zoho refuses for good is tried once more after this. Default: 60 seconds,
            since each try counts against Zoho's limit.
        longest_cool_down: Where the doubling ends. Default: 10 minutes, the time for which Zoho
            itself refuses.

    Raises:
        InvalidInputError: A value is no ``timedelta``, negative or out of range.
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
                raise InvalidInputError(f"{field.name} has to be a timedelta, and not negative")
        if self.lease < timedelta(seconds=1):
            raise InvalidInputError("lease has to be a second at least")
        if not self.request_timeout:
            raise InvalidInputError("request_timeout has to be longer than zero")
        if self.ahead > _LONGEST_AHEAD:
            raise InvalidInputError(
                "ahead has to be 30 minutes at most: half an access token's life"
            )

    def cool_down(self, refused: bool, failures: int) -> timedelta:
        """How long nobody asks after this many failures in a row.

        Args:
            refused: Whether Zoho refused; otherwise it gave no usable answer.
            failures: How many of this kind in a row, the newest included.
        """
        first = self.refusal_cool_down if refused else self.network_cool_down
        factor: int = 1 << min(failures - 1, 32)
        return min(first * factor, self.longest_cool_down)


DEFAULT_POLICY = RefreshPolicy()
