"""A lease that this process holds, and extends for as long as a request is in progress."""

import time
from datetime import datetime
from typing import Any

from pymongo.errors import PyMongoError

from zoho_mongo_store.refresh.background import Call
from zoho_mongo_store.refresh.lease import Failure, Lease
from zoho_mongo_store.refresh.progress import Interrupted, Progress

# Seconds between two looks at whether the store is being closed.
_LONGEST_WAIT = 0.25


class HeldLease:
    """A lease that this process has acquired.

    Attributes:
        lease: The lease as it was acquired.
    """

    def __init__(self, progress: Progress, lease: Lease) -> None:
        """Wrap an acquired lease."""
        self.lease = lease
        self._progress = progress
        self._leases = progress.site.leases
        self._step = progress.site.policy.lease.total_seconds() / 4

    @property
    def has_run_out(self) -> bool:
        """Whether the lease has expired, so that another process may have taken it over."""
        return self._progress.clock() >= self.lease.until

    @property
    def attempt(self) -> int:
        """The number of this request since the last successful one, starting at 1."""
        return self.lease.failures + 1

    def wait_for(self, call: "Call[Any]", timeout: float) -> bool:
        """Wait for a call, extending the lease meanwhile.

        Args:
            call: The call in progress.
            timeout: Seconds to wait.

        Returns:
            Whether the call has ended.

        Raises:
            Interrupted: The lease has been lost, or the store is being closed.
        """
        deadline = time.monotonic() + timeout
        extend_at = time.monotonic() + self._step
        while (left := deadline - time.monotonic()) > 0:
            if call.wait(min(left, _LONGEST_WAIT, max(extend_at - time.monotonic(), 0))):
                return True
            if self._progress.is_cancelled:
                raise Interrupted
            if time.monotonic() >= extend_at:
                if not self.extend():
                    raise Interrupted
                extend_at = time.monotonic() + self._step
        return call.wait(0)

    def extend(self) -> bool:
        """Extend the lease. Returns whether it is still held.

        While MongoDB is unreachable the request continues: nobody can take the lease meanwhile, and
        the save is kept for later.
        """
        try:
            return self._leases.extend(self.lease, self._progress.clock())
        except PyMongoError:
            return True

    def succeed(self) -> None:
        """End the lease after a success."""
        self._progress.write(lambda: self._leases.succeed(self.lease))

    def fail(self, failure: Failure, moment: datetime, *, is_marked: bool) -> datetime | None:
        """End the lease with a failure; see ``Leases.fail``."""
        return self._progress.write(
            lambda: self._leases.fail(self.lease, failure, moment, is_marked=is_marked)
        )

    def give_back(self) -> None:
        """End the lease before Zoho was asked.

        Raises:
            PyMongoError: MongoDB failed.
        """
        self._leases.release(self.lease, counted=False)

    def release(self) -> None:
        """End the lease without an outcome, although Zoho may have been asked."""
        self._progress.write(lambda: self._leases.release(self.lease, counted=True))
