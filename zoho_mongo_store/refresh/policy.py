"""How long the refresh of a token may take, begin early, and rest after a failure."""

from dataclasses import dataclass, fields
from datetime import timedelta

from zoho_mongo_store.errors import InvalidInputError

# Zoho's limit: at most 10 access tokens per refresh token in 10 minutes, then refusal.
ZOHO_REQUESTS = 10
ZOHO_WINDOW = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class RefreshPolicy:
    """When a token is refreshed, and by whom.

    lease: how long the process that refreshes is waited for before another takes over. Default 20
        seconds: Zoho answers in one or two, and a process that is alive needs no more, while those
        who wait for a dead one lose no more than this.
    ahead: how long before its expiry a token is refreshed early, by one caller, while all others go
        on with it. Default 60 seconds, one sixtieth of Zoho's hour: a token in steady use never
        expires under its users. Zero turns it off.
    network_cool_down: the rest after a first failure to reach Zoho; it doubles with each further
        one. Default 1 second: such faults often pass at once.
    refusal_cool_down: the rest after Zoho first refused; it doubles too. Default 60 seconds: a
        refusal seldom passes by itself, and each try counts against Zoho's limit.
    longest_cool_down: what the doubling ends at. Default 10 minutes, the time that Zoho itself
        refuses for.

    Raises ``InvalidInputError`` for a lease under a second or a negative time.
    """

    lease: timedelta = timedelta(seconds=20)
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

    def cool_down(self, refused: bool, failures: int) -> timedelta:
        """The rest after this many failures of one kind in a row, the newest included."""
        first = self.refusal_cool_down if refused else self.network_cool_down
        factor: int = 1 << min(failures - 1, 32)
        return min(first * factor, self.longest_cool_down)


DEFAULT_POLICY = RefreshPolicy()
