"""A MongoDB server in a child process, for demos and tests."""

from __future__ import annotations

import errno
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from zoho_mongo_store.testing.child import POLL_INTERVAL, Child, require

if TYPE_CHECKING:
    from typing_extensions import Self

HOST = "127.0.0.1"
START_TIMEOUT = 30.0
LISTENING = r"listening on \S+:(\d+)"


class EmbeddedServer:
    """SecantusDB, which speaks MongoDB's wire protocol, as a child process on a loopback port.

    A context manager: entering starts it, leaving stops it. Not a MongoDB: the differences that
    matter are in the project's documentation. It ends with the process that started it.

    Args:
        storage_path: the folder that holds the documents, made if missing and kept. None (the
            default) means a temporary one, removed by :meth:`stop`.
        sync_on_commit: flush every commit to disk, so that :meth:`kill` loses no write that was
            acknowledged; slower. Default False.
        test_commands: allow ``configureFailPoint``. Default False.
        auth: require authentication (SCRAM-SHA-256). Users are those that ``createUser`` put into
            the storage while it was served without. Default False.
        tls_cert_file: the server's certificate (PEM). With ``tls_key_file``: all traffic is TLS.
        tls_key_file: the key of that certificate (PEM).
        tls_ca_file: the authority (PEM) that clients' certificates are verified against.
        require_client_cert: refuse clients that present no certificate. Default False.
        port: the port to listen on; None (the default) takes a free one.

    Raises:
        ImportError: SecantusDB is not installed.
    """

    def __init__(
        self,
        *,
        storage_path: Path | None = None,
        sync_on_commit: bool = False,
        test_commands: bool = False,
        auth: bool = False,
        tls_cert_file: Path | str | None = None,
        tls_key_file: Path | str | None = None,
        tls_ca_file: Path | str | None = None,
        require_client_cert: bool = False,
        port: int | None = None,
    ) -> None:
        require("secantus")
        self._storage_path = storage_path
        self._tls = tls_cert_file is not None
        self._options = _options(
            sync_on_commit=sync_on_commit,
            enable_test_commands=test_commands,
            auth=auth,
            tls_cert_file=tls_cert_file,
            tls_key_file=tls_key_file,
            tls_ca_file=tls_ca_file,
            tls_require_client_cert=require_client_cert,
        )
        self._port = port
        self._child: Child | None = None

    @property
    def port(self) -> int:
        """The port it listens on; the same again after a restart."""
        if self._port is None:
            raise RuntimeError("The embedded server has no port yet: start it first.")
        return self._port

    @property
    def uri(self) -> str:
        """The connection string, for any number of clients in any process.

        With TLS it says ``tls=true``; the client adds the authority to trust (``tlsCAFile``).
        """
        return f"mongodb://{HOST}:{self.port}/" + ("?tls=true" if self._tls else "")

    @property
    def pid(self) -> int | None:
        """The id of the server's process, or None while none runs."""
        return self._child.pid if self._child else None

    @property
    def running(self) -> bool:
        """Whether the server's process runs."""
        return self._child is not None and self._child.running

    def start(self) -> None:
        """Start the server and return when it answers.

        After :meth:`kill` it starts again on the same port and the same documents; after
        :meth:`stop` on the same port, and with the documents if ``storage_path`` was given.

        Raises:
            RuntimeError: it runs already, or it did not answer within 30 s (with its output).
        """
        if self.running:
            raise RuntimeError("The embedded server runs already.")
        self._child = self._child or Child("secantus")
        deadline = time.monotonic() + START_TIMEOUT
        try:
            self._port = self._listen(self._child, deadline)
            self._wait_for_answer(self._child, deadline)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server and remove its temporary folder. Without effect if stopped.

        A given ``storage_path`` is left in order: every acknowledged write is in it.
        """
        if self._child is not None:
            if self._storage_path is None:
                self._child.kill()  # Quicker, and there is nothing to keep.
            else:
                self._child.terminate()
            self._child.remove_folder()
            self._child = None

    def kill(self) -> None:
        """End the server without notice, as a crash would (SIGKILL). The storage stays."""
        if self._child is not None:
            self._child.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = f"port={self._port}, pid={self.pid}" if self.running else "stopped"
        return f"EmbeddedServer({state})"

    def _listen(self, child: Child, deadline: float) -> int:
        """Start the process and return the port that it bound.

        The server picks a free port itself. A port of before can be taken for a moment, as the
        near end of somebody's connection: that is tried again until the deadline.
        """
        config = child.folder / "empty.toml"
        config.touch()  # An explicit one keeps the server from looking for others.
        storage = (self._storage_path or child.folder / "storage").absolute()
        while True:
            child.start(
                f"--config={config}",
                f"--host={HOST}",
                f"--port={self._port or 0}",
                f"--storage-path={storage}",
                "--log-level=INFO",
                *self._options,
            )
            try:
                return int(child.wait_for_output(LISTENING, deadline)[1])
            except RuntimeError:
                in_use = f"{errno.EADDRINUSE}]" in child.output()
                if child.running or not in_use or time.monotonic() > deadline:
                    raise
                time.sleep(POLL_INTERVAL)

    def _wait_for_answer(self, child: Child, deadline: float) -> None:
        while not self._answers():
            if not child.running:
                raise child.failure("ended before it answered")
            if time.monotonic() > deadline:
                raise child.failure("did not answer in time")
            time.sleep(POLL_INTERVAL)

    def _answers(self) -> bool:
        if self._tls:  # Its clients' certificates are not ours to have: a connection must do.
            try:
                socket.create_connection((HOST, self.port), timeout=1).close()
            except OSError:
                return False
            return True
        from pymongo import MongoClient
        from pymongo.errors import PyMongoError

        client: MongoClient[dict[str, Any]] = MongoClient(
            self.uri, directConnection=True, serverSelectionTimeoutMS=1000, socketTimeoutMS=1000
        )
        with client:
            try:
                client.admin.command("hello")  # Allowed before authentication, as ping is not.
            except PyMongoError:
                return False
            return True


def _options(**options: Path | str | bool | None) -> list[str]:
    """Command-line options: ``a_b=True`` is ``--a-b``, a path is ``--a-b=<absolute path>``."""
    arguments = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            arguments.append(flag)
        elif value:
            arguments.append(f"{flag}={Path(value).absolute()}")
    return arguments
