"""The SDK without what a program has left in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def fresh_sdk() -> Iterator[None]:
    """Let the block find the SDK as in a new process, and put back afterwards what it was.

    The SDK keeps what it was initialized with in its classes, so that one test acts as the user of
    another. In the block nobody has initialized it yet, for this thread and for new ones. Its log
    is off: some of its records cannot be formatted, which pytest takes for errors.
    """
    from zoho_mongo_store.sdk import Initializer

    state: Any = Initializer
    logger = logging.getLogger("SDKLogger")
    before = state.initializer, getattr(state.LOCAL, "init", None)
    disabled, handlers = logger.disabled, list(logger.handlers)
    state.initializer = state.LOCAL.init = None
    logger.disabled = True
    try:
        yield
    finally:
        state.initializer, state.LOCAL.init = before
        logger.disabled = disabled
        for handler in set(logger.handlers) - set(handlers):
            logger.removeHandler(handler)
            handler.close()  # The file that the block told the SDK to log to.
