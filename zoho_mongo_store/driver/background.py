"""A background thread that runs only while it has something to do."""

import threading
from collections.abc import Callable
from contextlib import suppress

from zoho_mongo_store.driver.fork import reset_after_fork


class BackgroundTask:
    """Calls a function repeatedly in a daemon thread until the function says that it is done.

    There is at most one thread at a time, and none in a forked child until ``start`` is called
    there. The thread refers to the function, not to this object's owner.
    """

    def __init__(self, step: Callable[[], bool], name: str, pause: float) -> None:
        """Create it. No thread is started yet.

        Args:
            step: Does part of the work. Returns whether there is more to do.
            name: Name of the thread.
            pause: Seconds between two steps.
        """
        self._step = step
        self._name = name
        self._pause = pause
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.after_fork()
        reset_after_fork(self)

    def start(self) -> None:
        """Start a thread, unless one is running."""
        with self._lock:
            self._wanted = True
            running = self._thread is not None and self._thread.is_alive()
            if running or self._stopped.is_set():
                return
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            # While the interpreter shuts down, no thread can be started.
            with suppress(RuntimeError):
                self._thread.start()
                return
            self._thread = None

    def stop(self) -> None:
        """End the thread after its current step, and never start another."""
        self._stopped.set()

    def after_fork(self) -> None:
        """Start afresh in a forked child, where the thread does not run."""
        stopped = self._stopped.is_set()
        self._stopped = threading.Event()
        if stopped:
            self._stopped.set()
        self._lock = threading.RLock()
        self._thread = None
        self._wanted = False

    def _run(self) -> None:
        while not self._stopped.is_set():
            with self._lock:
                self._wanted = False
            if not self._step() and self._is_done():
                return
            self._stopped.wait(self._pause)

    def _is_done(self) -> bool:
        """Whether nobody has called ``start`` since the last step began; then the thread ends."""
        with self._lock:
            if not self._wanted:
                self._thread = None
            return not self._wanted
