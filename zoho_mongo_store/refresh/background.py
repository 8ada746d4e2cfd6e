"""Runs functions in their own threads, so that nobody waits longer than they want to."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_Result = TypeVar("_Result")

THREAD_NAME = "zoho-mongo-store-refresh"


def start(function: Callable[[], object]) -> threading.Thread | None:
    """Run a function in a daemon thread.

    While the interpreter shuts down, no thread can be started: the function then runs here.

    Returns:
        The thread, or ``None`` if the function has already run.
    """
    thread = threading.Thread(target=function, name=THREAD_NAME, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        function()
        return None
    return thread


class Call(Generic[_Result]):
    """One call of a function in its own thread, which can be waited for in steps."""

    def __init__(self, function: Callable[[], _Result]) -> None:
        """Start the call."""
        self._function = function
        self._done = threading.Event()
        self._result: _Result
        self._error: Exception | None = None
        start(self._run)

    def wait(self, seconds: float) -> bool:
        """Wait at most this many seconds for the call to end. Returns whether it has."""
        return self._done.wait(max(seconds, 0))

    def result(self) -> _Result:
        """Return what the function returned, once the call has ended.

        Raises:
            Exception: Whatever the function raised.
        """
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._function()
        except Exception as error:
            self._error = error
        finally:
            self._done.set()
