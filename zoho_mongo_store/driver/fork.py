"""State that must not cross a fork: clients, locks, and the work of the parent's threads."""

import os
import threading
import weakref
from typing import Protocol


class ForkAware(Protocol):
    """An object that can begin anew in a forked child."""

    def after_fork(self) -> None:
        """Begin anew; called in the child before any other thread can run there."""


not_during_a_fork = threading.RLock()
"""A fork waits while a thread holds this, so that no child finds that thread's work half done."""

_aware: "weakref.WeakSet[ForkAware]" = weakref.WeakSet()


def reset_after_fork(instance: ForkAware) -> None:
    """Call ``instance.after_fork()`` in each forked child, for as long as ``instance`` lives."""
    _aware.add(instance)


def _begin_anew() -> None:
    not_during_a_fork.release()
    for instance in list(_aware):
        instance.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=not_during_a_fork.acquire,
        after_in_parent=not_during_a_fork.release,
        after_in_child=_begin_anew,
    )
