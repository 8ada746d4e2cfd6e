"""Runs the zoho-mongo-store command as a user does, and watches what it starts."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

COMMAND = Path(sys.executable).with_name("zoho-mongo-store")
TIMEOUT = 100
GRACE = 10
POLL_INTERVAL = 0.05

# What would make another screen of it, or another server.
_REMOVED = ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE", "ZOHO_MONGO_URI")


class Finished(NamedTuple):
    """A command that has ended."""

    status: int
    output: str
    errors: str
    processes: set[psutil.Process]
    """Its own process and all that it started."""
    ports: set[int]
    """The ports that these listened on."""


class Running:
    """A command that runs."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._output: list[str] = []
        self._errors: list[str] = []
        assert process.stdout is not None
        assert process.stderr is not None
        self._readers = [
            threading.Thread(target=into.extend, args=(stream,), daemon=True)
            for into, stream in ((self._output, process.stdout), (self._errors, process.stderr))
        ]
        for reader in self._readers:
            reader.start()
        self._processes: set[psutil.Process] = set()
        self._ports: set[int] = set()

    def wait_for(self, text: str) -> str:
        """Wait until the output holds the text; the output so far."""
        self._watch(lambda: text in "".join(self._output))
        return "".join(self._output)

    def wait_for_error(self, text: str) -> None:
        """Wait until its standard error holds the text."""
        self._watch(lambda: text in "".join(self._errors))

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command alone."""
        self._process.send_signal(number)

    def press_ctrl_c(self) -> None:
        """Interrupt the command and all that runs in its group, as a terminal does."""
        os.killpg(self._process.pid, signal.SIGINT)

    def finish(self) -> Finished:
        """Wait until it has ended."""
        self._watch(lambda: self._process.poll() is not None)
        for reader in self._readers:
            reader.join(GRACE)
        return Finished(
            self._process.returncode,
            "".join(self._output),
            "".join(self._errors),
            self._processes,
            self._ports,
        )

    def _watch(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not done():
            assert time.monotonic() < deadline, "".join(self._output)
            with contextlib.suppress(psutil.Error):
                own = psutil.Process(self._process.pid)
                self._processes |= {own, *own.children(recursive=True)}
            for process in list(self._processes):
                with contextlib.suppress(psutil.Error):
                    sockets = process.net_connections("tcp")
                    self._ports |= {one.laddr.port for one in sockets if one.status == "LISTEN"}
            time.sleep(POLL_INTERVAL)


@contextlib.contextmanager
def running(*command: str, folder: Path, **variables: str) -> Iterator[Running]:
    """The command, its standard output piped, in a folder that is its temporary one too."""
    environment = {key: value for key, value in os.environ.items() if key not in _REMOVED}
    environment |= {"TMPDIR": str(folder), **variables}
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=folder,
        start_new_session=True,
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def run(*command: str, folder: Path, **variables: str) -> Finished:
    """The command, run to its end."""
    with running(*command, folder=folder, **variables) as process:
        return process.finish()


def run_on_terminal(*command: str, folder: Path, environment: Mapping[str, str]) -> bytes:
    """What a command writes to a terminal; it has to succeed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**environment, "TERM": "xterm-256color"},
        cwd=folder,
    ) as process:
        os.close(theirs)
        written = b""
        try:
            while part := os.read(ours, 65536):
                written += part
        except OSError:
            pass  # How a terminal ends.
        finally:
            os.close(ours)
        assert process.wait(TIMEOUT) == 0
    return written
