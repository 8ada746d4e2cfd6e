"""One ``mongod`` process of a local deployment."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from zoho_mongo_store.testing.child import POLL_INTERVAL, Child, Tether
from zoho_mongo_store.testing.mongod_options import HOST, MongodOptions

START_TIMEOUT = 60.0
ANSWER_TIMEOUT_MS = 2000
COMMAND_TIMEOUT_MS = 30_000
LISTENING = '"Waiting for connections"'
PORT_TAKEN = 48
"""The exit code of ``mongod`` if it cannot listen."""
# Below the ephemeral ports of operating systems, so that no outgoing connection takes the port of a
# server that is down for a moment.
PORTS = range(20_000, 32_000)

Client = MongoClient[dict[str, Any]]


def free_port() -> int:
    """Return a port of the loopback address on which nobody is listening."""
    while True:
        port = random.choice(PORTS)  # noqa: S311 - not a secret
        with closing(socket.socket()) as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port


class Member:
    """A ``mongod`` process: a member of a replica set, or a standalone server.

    :class:`LocalMongo` creates and starts its members. Use one to kill, stop or restart it::

        mongo.primary.kill()
        mongo.members[2].stop()
    """

    def __init__(
        self,
        name: str,
        program: Path,
        options: MongodOptions,
        tether: Tether,
        *,
        storage: Path,
        port: int | None,
        alone: bool,
    ) -> None:
        self.name = name
        self._program = program
        self._options = options
        self._tether = tether
        self._storage = storage
        self._port = port
        self._alone = alone
        self._child: Child | None = None
        self._stopped = False

    @property
    def port(self) -> int:
        """The port that it listens on, which stays the same after a restart."""
        if self._port is None:
            raise RuntimeError(f"{self.name} has no port yet: start it first.")
        return self._port

    @property
    def address(self) -> str:
        """Host and port, as in the replica set's configuration and pymongo's events."""
        return f"{HOST}:{self.port}"

    @property
    def uri(self) -> str:
        """The connection string for this member only."""
        tls = "&tls=true" if self._options.tls_certificate_key_file else ""
        return f"mongodb://{self.address}/?directConnection=true{tls}"

    @property
    def pid(self) -> int | None:
        """The process id, or None if it is not running."""
        return self._child.pid if self._child else None

    @property
    def running(self) -> bool:
        """Whether its process exists, even if it is stopped."""
        return self._child is not None and self._child.running

    @property
    def is_primary(self) -> bool:
        """Whether it reports that it is the primary; True for a standalone server that answers."""
        return bool((self.hello() or {}).get("isWritablePrimary"))

    @property
    def is_secondary(self) -> bool:
        """Whether it reports that it is a secondary."""
        return bool((self.hello() or {}).get("secondary"))

    def hello(self) -> dict[str, Any] | None:
        """Return its answer to ``hello``; None if it is not running, stopped or does not answer."""
        if not self.running or self._stopped:
            return None
        try:
            with self.connect(authenticated=False, timeout_ms=ANSWER_TIMEOUT_MS) as client:
                return client.admin.command("hello")
        except PyMongoError:
            return None

    def kill(self) -> None:
        """Kill it, like a crash (SIGKILL). Its data is kept."""
        if self._child is not None:
            self._child.kill()
        self._stopped = False

    def stop(self) -> None:
        """Make it hang (SIGSTOP): connections to it stay open, but nothing is answered."""
        self._running_child().suspend()
        self._stopped = True

    def cont(self) -> None:
        """Resume it after :meth:`stop` (SIGCONT)."""
        self._running_child().resume()
        self._stopped = False

    def restart(self) -> None:
        """Kill it if it is running, start it again on the same port and data, and wait for it.

        Raises:
            RuntimeError: It does not serve within 60 s.
        """
        self.kill()
        deadline = time.monotonic() + START_TIMEOUT
        self.launch()
        self.wait_until_listening(deadline)
        self.wait_until_serving(deadline)

    def step_down(self, seconds: int = 10) -> None:
        """Make this primary a secondary.

        Args:
            seconds: How long it does not stand for election. Another member is elected at once; a
                member that is alone becomes primary again after this time.

        Raises:
            OperationFailure: It is not the primary, or no secondary can take over.
        """
        # With force it would not hand over, and the others would wait for the election timeout.
        by_force: dict[str, Any] = {"force": True, "secondaryCatchUpPeriodSecs": 0}
        in_order = {"secondaryCatchUpPeriodSecs": seconds // 2}
        with self.connect() as client:
            options = by_force if self._alone else in_order
            client.admin.command("replSetStepDown", seconds, **options)

    def terminate(self) -> None:
        """Shut it down cleanly (SIGTERM), and kill it if that takes longer than 30 s."""
        if self._child is not None:
            if self._stopped:
                self.cont()
            self._child.terminate(grace=30)

    @contextmanager
    def connect(
        self, *, authenticated: bool = True, timeout_ms: int = COMMAND_TIMEOUT_MS
    ) -> Iterator[Client]:
        """Connect to this member only. With authentication on, the client may do everything."""
        client: Client = MongoClient(
            HOST,
            self.port,
            serverSelectionTimeoutMS=timeout_ms,
            connectTimeoutMS=timeout_ms,
            socketTimeoutMS=timeout_ms,
            **self._options.client_options(authenticated=authenticated),
        )
        with client:
            yield client

    def launch(self) -> None:
        """Start the process without waiting for it."""
        self._storage.mkdir(parents=True, exist_ok=True)
        folder = self._tether.folder
        self._chosen = self._port or free_port()
        self._child = self._tether.run(
            self.name, self._options.command(self._program, self._chosen, self._storage, folder)
        )

    def wait_until_listening(self, deadline: float) -> None:
        """Wait until the process is listening. While its port is taken, launch it again.

        Raises:
            RuntimeError: It ended for another reason, or the deadline passed.
        """
        taken: RuntimeError | None = None
        while True:
            child = self._running_or_ended_child()
            try:
                child.wait_for_output(LISTENING, deadline)
            except RuntimeError as error:
                if taken and child.running:  # The deadline passed during another attempt.
                    raise taken from None
                if child.exit_code != PORT_TAKEN or time.monotonic() > deadline:
                    raise
                taken = error
                time.sleep(POLL_INTERVAL)
                self.launch()
            else:
                self._port = self._chosen
                return

    def wait_until_serving(self, deadline: float) -> None:
        """Wait until it is primary or, if it is not alone, secondary.

        Raises:
            RuntimeError: The process ended, or the deadline passed.
        """
        while True:
            answer = self.hello() or {}
            if answer.get("isWritablePrimary") or (answer.get("secondary") and not self._alone):
                return
            child = self._running_or_ended_child()
            if not child.running:
                raise child.failure("ended before it served")
            if time.monotonic() > deadline:
                raise child.failure("did not serve in time")
            time.sleep(POLL_INTERVAL)

    def __repr__(self) -> str:
        state = "stopped" if self._stopped else "running" if self.running else "ended"
        return f"Member({self.name}, port={self._port}, pid={self.pid}, {state})"

    def _running_or_ended_child(self) -> Child:
        if self._child is None:
            raise RuntimeError(f"{self.name} has not been started.")
        return self._child

    def _running_child(self) -> Child:
        child = self._running_or_ended_child()
        if not child.running:
            raise RuntimeError(f"{self.name} is not running.")
        return child
