"""Runs programs as child processes in a temporary folder. They end with this process."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

POLL_INTERVAL = 0.02
OUTPUT_LINES = 20
TETHER = Path(__file__).with_name("tether.py")


def require(module: str) -> None:
    """Check that the module can be imported, without importing it.

    Raises:
        ImportError: It is not installed. The message names the extra that installs it.
    """
    if importlib.util.find_spec(module) is None:
        raise ImportError(
            f"{module} is not installed. Install it with: pip install 'zoho-mongo-store[testing]'"
        )


class Tether:
    """A temporary folder and the programs that run in it, all of which end with this process.

    A small process watches this one: however this one ends, even by SIGKILL, it kills the programs
    and removes the folder.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="zoho-mongo-store-"))
        self._pids = self.folder / "pids"
        self._pids.mkdir()
        self._children: list[Child] = []
        # Isolated and without site-packages, so that it starts quickly.
        command = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), str(self.folder)]
        self._watcher = subprocess.Popen(  # noqa: S603 - this interpreter, no shell
            command,
            stdin=subprocess.DEVNULL if os.name == "posix" else subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def run(self, name: str, command: Sequence[str]) -> Child:
        """Start a program in the folder.

        Args:
            name: Its name in errors. Its output goes to ``<name>.log`` in the folder.
            command: The program and its arguments.
        """
        return self._run(name, command, None)

    def run_module(self, module: str, *arguments: str) -> Child:
        """Start a Python module, like ``python -m``, with the search path of this process."""
        path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        command = [sys.executable, "-P", "-m", module, *arguments]
        return self._run(module, command, {**os.environ, "PYTHONPATH": path})

    def close(self) -> None:
        """Kill the programs that are still running, and remove the folder."""
        for child in self._children:
            child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._watcher.kill()
        self._watcher.wait()
        if self._watcher.stdin is not None:
            self._watcher.stdin.close()

    def _run(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None
    ) -> Child:
        child = Child(name, command, self.folder, self._pids, environment)
        self._children.append(child)
        return child


class Child:
    """One run of a program as a child process, started by :meth:`Tether.run`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        pids: Path,
        environment: Mapping[str, str] | None,
    ) -> None:
        self.name = name
        self._output = folder / f"{name}.log"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                # Ctrl-C is for the parent, which then shuts its children down.
                start_new_session=True,
            )
        self._note = pids / str(self._process.pid)
        self._note.touch()

    @property
    def running(self) -> bool:
        """Whether the process is running."""
        return self.exit_code is None

    @property
    def pid(self) -> int | None:
        """The process id, or None once it has ended."""
        return self._process.pid if self.running else None

    @property
    def exit_code(self) -> int | None:
        """The exit code (minus the number of a signal), or None while the process is running."""
        code = self._process.poll()
        if code is not None:
            self._note.unlink(missing_ok=True)  # The id may soon be another process's.
        return code

    def wait_for_output(self, pattern: str, deadline: float) -> re.Match[str]:
        """Wait until the output matches the pattern and return the match.

        Args:
            pattern: A regular expression.
            deadline: When to give up, by ``time.monotonic()``.

        Raises:
            RuntimeError: The process ended, or the deadline passed. The message quotes its last
                output.
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
        """Return what the process has written so far."""
        return self._output.read_text(errors="replace")

    def failure(self, what: str) -> RuntimeError:
        """Create an error that says what happened and quotes the end of the output."""
        tail = "\n".join(self.output().splitlines()[-OUTPUT_LINES:])
        return RuntimeError(f"{self.name} {what}. Its last output:\n{tail}")

    def suspend(self) -> None:
        """Stop the process (SIGSTOP) until :meth:`resume`. Returns once it has stopped."""
        self._signal("SIGSTOP")
        _, status = os.waitpid(self._process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):  # It ended at that very moment.
            self._process.returncode = os.waitstatus_to_exitcode(status)

    def resume(self) -> None:
        """Resume a suspended process (SIGCONT)."""
        self._signal("SIGCONT")

    def terminate(self, grace: float = 5.0) -> None:
        """End the process with SIGTERM, and kill it if it has not ended ``grace`` seconds later."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        self.kill()

    def kill(self) -> None:
        """Kill the process (SIGKILL). Has no effect if it has ended."""
        self._process.kill()
        self._process.wait()
        self._note.unlink(missing_ok=True)

    def _signal(self, name: str) -> None:
        number = getattr(signal, name, None)
        if number is None:
            raise RuntimeError(f"{sys.platform} has no {name}: {self.name} cannot be suspended.")
        self._process.send_signal(number)
