"""A Python module that runs as a child process: started, awaited, ended."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

POLL_INTERVAL = 0.02
OUTPUT_LINES = 20
TETHER = Path(__file__).with_name("tether.py")


def require(module: str) -> None:
    """Check that the module can be imported, without importing it.

    Raises:
        ImportError: it is not installed; the message names the extra that brings it.
    """
    if importlib.util.find_spec(module) is None:
        raise ImportError(
            f"{module} is not installed. Install it with: pip install 'zoho-mongo-store[testing]'"
        )


class Child:
    """One child process that runs a module in a temporary folder of its own.

    The child ends with its parent, however that ends. Its output goes to a file in the folder.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self.folder = Path(tempfile.mkdtemp(prefix="zoho-mongo-store-"))
        self._output = self.folder / "output.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process id, or None while no process runs."""
        return self._process.pid if self._process is not None and self.running else None

    def start(self, *arguments: str) -> None:
        """Start the process; one that ran before must have ended."""
        command = [sys.executable, str(TETHER), str(os.getpid()), str(self.folder), self.module]
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, no shell
                [*command, *arguments],
                stdin=subprocess.DEVNULL if os.name == "posix" else subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                # Ctrl-C belongs to the parent, which then stops its children in order.
                start_new_session=True,
            )

    def wait_for_output(self, pattern: str, deadline: float) -> re.Match[str]:
        """Wait until the output matches the pattern and return the match.

        Args:
            pattern: a regular expression.
            deadline: a time of ``time.monotonic()``.

        Raises:
            RuntimeError: the process ended, or the deadline passed; with the last output.
        """
        while True:
            ended = not self.running
            if match := re.search(pattern, self.output()):
                return match
            if ended:
                raise self.failure("ended before it was ready")
            if time.monotonic() > deadline:
                raise self.failure("was not ready in time")
            time.sleep(POLL_INTERVAL)

    def output(self) -> str:
        """What the process has written so far."""
        return self._output.read_text(errors="replace")

    def failure(self, what: str) -> RuntimeError:
        """An error that says what happened and quotes the end of the output."""
        tail = "\n".join(self.output().splitlines()[-OUTPUT_LINES:])
        return RuntimeError(f"{self.module} {what}. Its last output:\n{tail}")

    def terminate(self, grace: float = 5.0) -> None:
        """End the process: ask first, and kill it if it has not ended ``grace`` seconds later."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reap(self._process)

    def kill(self) -> None:
        """End the process without notice (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._reap(self._process)

    def remove_folder(self) -> None:
        """Remove the folder and all in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
        self._process = None
