"""Waiting for what a store does in the background."""

import time
from collections.abc import Callable
from typing import TypeVar

from zoho_mongo_store.sdk import SDKException

_Result = TypeVar("_Result")

PATIENCE = 30.0


def eventually(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Whether the condition holds within that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def once_it_works(operation: Callable[[], _Result], seconds: float = PATIENCE) -> _Result:
    """What an operation of a store gives as soon as MongoDB is reached again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return operation()
        except SDKException:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)
