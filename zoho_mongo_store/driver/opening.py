"""Waiting for a client only so long, whatever its name server does."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

from pymongo.errors import NetworkTimeout

_Result = TypeVar("_Result")


class Opening(Generic[_Result]):
    """One call in a daemon thread of its own, whose result any number of threads wait for.

    pymongo resolves a ``mongodb+srv`` name for up to ``connectTimeoutMS`` (20 s by default),
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
        """Whether it is over without a result."""
        return self._done.is_set() and self._error is not None

    def wait(self, seconds: float) -> _Result:
        """Wait for the result.

        Args:
            seconds: How long.

        Returns:
            What the call returned.

        Raises:
            NetworkTimeout: The call is not over yet.
            Exception: What the call raised.
        """
        if not self._done.wait(max(seconds, 0)):
            raise NetworkTimeout("the name of the MongoDB cluster is still being resolved")
        if self._error is not None:
            # Each thread has the traceback of the call, and not that of another's wait.
            raise self._error.with_traceback(self._traceback)
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._call()
        except Exception as error:
            self._error, self._traceback = error, error.__traceback__
        self._done.set()
