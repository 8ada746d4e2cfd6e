"""Functions that run in threads of their own, so that nobody waits for longer than they want to."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_Result = TypeVar("_Result")

THREAD_NAME = "zoho-mongo-store-refresh"


def start(function: Callable[[], object]) -> threading.Thread | None:
    """Run a function in a thread of its own, which does not keep the process from ending.

    While the interpreter shuts down no thread can be started any more: then it runs here.

    Returns:
        The thread, or ``None`` when the function has been run.
    """
    thread = threading.Thread(target=function, name=THREAD_NAME, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        function()
        return None
    return thread


class Call(Generic[_Result]):
    """One call of a function in a thread of its own, that can be waited for in steps."""

    def __init__(self, function: Callable[[], _Result]) -> None:
        """Start the call."""
        self._function = function
        self._done = threading.Event()
        self._result: _Result
        self._error: Exception | None = None
        start(self._run)

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, for so many seconds at most; whether it has."""
        return self._done.wait(max(seconds, 0))

    def result(self) -> _Result:
        """Give back what the function returned, once it has ended.

        Raises:
            Exception: What the function raised.
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
