"""The server's time, moved by the test instead of waited for."""

from datetime import UTC, datetime, timedelta


class MovedTime:
    """Stands in for the clock that leases are measured by."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        """What time it is."""
        return self.moment

    def advance(self, seconds: float) -> None:
        """Move it on."""
        self.moment += timedelta(seconds=seconds)
