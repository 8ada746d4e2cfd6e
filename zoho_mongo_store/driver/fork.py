"""State that must not cross a fork: clients, locks, and the work of the parent's threads."""

import os
import threading
import weakref
from typing import Protocol

# The longest that a fork waits for a client that another thread is creating.
_LONGEST_WAIT = 1.0


class ForkAware(Protocol):
    """An object that can start afresh in a forked child."""

    def after_fork(self) -> None:
        """Start afresh; called in the child before any other thread can run there."""


not_during_a_fork = threading.RLock()
"""While a thread holds this, a fork waits up to a second, so no child finds half-done work.

Hold it for work that takes milliseconds, never for the network.
"""

_aware: "weakref.WeakSet[ForkAware]" = weakref.WeakSet()
_forking = threading.local()


def reset_after_fork(instance: ForkAware) -> None:
    """Call ``instance.after_fork()`` in each forked child, for as long as ``instance`` lives."""
    _aware.add(instance)


def _before() -> None:
    _forking.holds = not_during_a_fork.acquire(timeout=_LONGEST_WAIT)


def _in_parent() -> None:
    if _forking.holds:
        not_during_a_fork.release()


def _in_child() -> None:
    # The thread that holds it may not exist here. The standard library resets its locks like this.
    not_during_a_fork._at_fork_reinit()  # type: ignore[attr-defined]
    for instance in list(_aware):
        instance.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
