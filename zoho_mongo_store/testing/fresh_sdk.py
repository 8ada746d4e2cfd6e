"""Isolates tests from the SDK's global state."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def fresh_sdk() -> Iterator[None]:
    """In the block, put the SDK into the state of a new process; restore its state afterwards.

    The SDK keeps what it was initialized with in its classes, so one test would act as another's
    user. In the block it is not initialized, for this thread and for new ones. Its log is off: some
    of its records cannot be formatted, which pytest reports as errors.
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
