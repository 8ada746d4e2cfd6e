"""Bounds the wait for a client, however long its name server takes."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

from pymongo.errors import NetworkTimeout

_Result = TypeVar("_Result")


class Opening(Generic[_Result]):
    """One call in its own daemon thread; any number of threads can wait for its result.

    pymongo takes up to ``connectTimeoutMS`` (20 s by default) to resolve a ``mongodb+srv`` name,
    whatever ``pymongo.timeout`` says.
    """

    def __init__(self, call: Callable[[], _Result]) -> None:
        """Start the call."""
        self._call = call
        self._done = threading.Event()
        self._result: _Result
        self._error: Exception | None = None
        self._traceback: TracebackType | None = None
        threading.Thread(target=self._run, name="zoho-mongo-store-open", daemon=True).start()

    @property
    def has_failed(self) -> bool:
        """Whether the call has ended without a result."""
        return self._done.is_set() and self._error is not None

    def wait(self, seconds: float) -> _Result:
        """Wait for the result.

        Args:
            seconds: The longest time to wait.

        Returns:
            What the call returned.

        Raises:
            NetworkTimeout: The call has not ended yet.
            Exception: Whatever the call raised.
        """
        if not self._done.wait(max(seconds, 0)):
            raise NetworkTimeout("the name of the MongoDB cluster is still being resolved")
        if self._error is not None:
            # Each thread gets the traceback of the call, without those of other threads' waits.
            raise self._error.with_traceback(self._traceback)
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._call()
        except Exception as error:
            self._error, self._traceback = error, error.__traceback__
        self._done.set()
