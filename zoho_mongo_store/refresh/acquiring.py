"""Acquires the lease, or waits until its holder has an outcome."""

import logging
import random
import time
from functools import partial

from zoho_mongo_store.refresh.known import by_lease, known
from zoho_mongo_store.refresh.lease import Lease
from zoho_mongo_store.refresh.outcome import Outcome
from zoho_mongo_store.refresh.progress import Progress

logger = logging.getLogger("zoho_mongo_store")

# Waiters poll often at first and less often the longer they wait: the slowest sees an answer after
# about a tenth more than the time it took. Polling more often costs CPU that the answer needs, and
# Zoho rarely answers in less than 0.2 s. The jitter spreads waiters that started together.
_SHORTEST_PAUSE = 0.06
_LONGEST_PAUSE = 0.25
_PAUSE_PER_SECOND = 0.15
_JITTER = (0.5, 1.0)


def acquire(progress: Progress) -> Lease | Outcome | None:
    """Take the lease, or wait until its holder has an outcome.

    Returns:
        The lease, if this process is to ask Zoho; the outcome, if another process did; ``None`` if
        an early refresh was left to another process.

    Raises:
        Interrupted: The attempt was cancelled.
        PyMongoError: MongoDB failed.
    """
    task, leases = progress.task, progress.site.leases
    began = time.monotonic()
    waited_on: str | None = None
    acquire_lease = partial(leases.acquire, task.key, task.request, token_id=task.fields.get("id"))
    lease = acquire_lease(progress.clock())
    while lease is None:
        if progress.is_early:
            return None
        state = leases.read(task.key, task.request)
        moment = progress.clock()
        if state is not None and waited_on is not None and state.failed_owner == waited_on:
            return by_lease(progress, state, moment)
        if state is None:
            # It was purged, or is just being created.
            pause(progress, time.monotonic() - began)
            lease = acquire_lease(moment)
            continue
        if state.owner is not None and moment < state.until:
            waited_on = state.owner
            pause(progress, time.monotonic() - began)
            continue
        outcome = known(progress, progress.stored())
        if outcome is not None:
            return outcome
        if moment < state.retry_after:
            return by_lease(progress, state, moment)
        lease = acquire_lease(moment, state.owner)
        if lease is not None and state.owner is not None:
            _took_over(progress)
    return lease


def pause(progress: Progress, waited: float) -> None:
    """Wait before the next look at the lease.

    Args:
        progress: The waiting attempt.
        waited: Seconds that it has already waited.
    """
    seconds = min(max(waited * _PAUSE_PER_SECOND, _SHORTEST_PAUSE), _LONGEST_PAUSE)
    progress.sleep(seconds * random.uniform(*_JITTER))  # noqa: S311 - no secret


def _took_over(progress: Progress) -> None:
    task = progress.task
    progress.took_over = True
    progress.tell("took_over", task.fields)
    logger.warning("Took over the refresh of %s: the other process's lease ran out", task.name)
