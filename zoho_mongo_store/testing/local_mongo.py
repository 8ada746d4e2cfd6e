"""MongoDB on this machine, for demos and tests."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote_plus

from pymongo.errors import OperationFailure

from zoho_mongo_store.testing import replica_set
from zoho_mongo_store.testing.child import POLL_INTERVAL, Tether
from zoho_mongo_store.testing.member import START_TIMEOUT, Member
from zoho_mongo_store.testing.mongod_options import REPLICA_SET, MongodOptions
from zoho_mongo_store.testing.mongod_program import find_mongod

MAX_MEMBERS = 7
ADMIN = "root"
USER_EXISTS = 51003
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven")


class LocalMongo:
    """MongoDB itself (``mongod``) in child processes, on free ports of the loopback address.

    It is a replica set of one or several members, or a standalone server. Use it as a context
    manager: entering starts it, leaving stops it. It ends with the process that started it, however
    that ends, and leaves no process, port or file behind::

        with LocalMongo(members=3) as mongo:
            store = MongoTokenStore(mongo.uri)
            mongo.primary.kill()

    The program is the one that ``ZOHO_MONGO_MONGOD`` names, else ``mongod`` on the PATH, else the
    one from the package that the extra ``testing`` installs.

    Args:
        members: The number of members of the replica set, 1 to 7. Default: 1.
        standalone: Whether to start a server outside a replica set. Default: False.
        auth: Whether to require authentication. :attr:`admin_uri` then contains the credentials of
            a user who may do everything. Default: False.
        tls_certificate_key_file: The servers' certificate and its key (PEM), valid for
            ``127.0.0.1``. With this and ``tls_ca_file``, all traffic uses TLS.
        tls_ca_file: The certificate authority (PEM) that certificates are verified against.
        tls_require_client_certificate: Whether to refuse clients without a certificate. Default:
            False.
        test_commands: Whether to allow ``configureFailPoint``. Default: False.
        set_parameters: Server parameters, such as ``{"ttlMonitorSleepSecs": 1}``.
        replica_set_settings: The ``settings`` of the replica set's configuration, such as
            ``{"electionTimeoutMillis": 1000}``. Default: MongoDB's own.
        mongod_options: More command line options, such as ``["--slowms=0"]``.
        storage_path: The folder for the data. It is created if missing, and kept. Default: a
            temporary folder, which :meth:`close` removes.
        mongod: The program to run instead of the one that is found.

    Raises:
        MongodUnavailableError: There is no program, or it cannot run here. The message says what to
            install.
        ValueError: The options contradict each other.
    """

    def __init__(
        self,
        *,
        members: int = 1,
        standalone: bool = False,
        auth: bool = False,
        tls_certificate_key_file: str | os.PathLike[str] | None = None,
        tls_ca_file: str | os.PathLike[str] | None = None,
        tls_require_client_certificate: bool = False,
        test_commands: bool = False,
        set_parameters: Mapping[str, Any] | None = None,
        replica_set_settings: Mapping[str, Any] | None = None,
        mongod_options: Sequence[str] = (),
        storage_path: str | os.PathLike[str] | None = None,
        mongod: str | os.PathLike[str] | None = None,
    ) -> None:
        if not 1 <= members <= MAX_MEMBERS:
            raise ValueError(f"members must be from 1 to {MAX_MEMBERS}, not {members}.")
        if standalone and (members > 1 or replica_set_settings):
            raise ValueError("standalone excludes several members and replica_set_settings.")
        if (tls_certificate_key_file is None) != (tls_ca_file is None):
            raise ValueError("tls_certificate_key_file and tls_ca_file must be given together.")
        if tls_require_client_certificate and tls_ca_file is None:
            raise ValueError("tls_require_client_certificate needs the other two TLS options.")
        self._program = find_mongod(mongod)
        self._options = MongodOptions(
            standalone=standalone,
            auth=auth,
            tls_certificate_key_file=_absolute(tls_certificate_key_file),
            tls_ca_file=_absolute(tls_ca_file),
            tls_require_client_certificate=tls_require_client_certificate,
            set_parameters={
                **({"enableTestCommands": 1} if test_commands else {}),
                **(set_parameters or {}),
            },
            mongod_options=tuple(mongod_options),
        )
        self._settings = dict(replica_set_settings or {})
        self._storage_path = _absolute(storage_path)
        self._password = secrets.token_urlsafe()
        self._ports: list[int | None] = [None] * members
        self._members: list[Member] = []
        self._tether: Tether | None = None

    @property
    def version(self) -> str:
        """MongoDB's version, such as ``"6.0.5"``."""
        return self._program.version

    @property
    def description(self) -> str:
        """A description, such as ``"MongoDB 6.0.5, a replica set of one"``."""
        count = _NUMBERS[len(self._ports)]
        kind = "standalone" if self._options.standalone else f"a replica set of {count}"
        return f"MongoDB {self.version}, {kind}"

    @property
    def uri(self) -> str:
        """The connection string, for any number of clients in any process.

        With TLS it contains ``tls=true``; the client must add the authority to trust
        (``tlsCAFile``). With authentication, the client must add its credentials.
        """
        return self._uri("")

    @property
    def admin_uri(self) -> str:
        """The connection string with the credentials of a user who may do everything.

        Without authentication, it is the same as :attr:`uri`.
        """
        return self._uri(f"{ADMIN}:{quote_plus(self._password)}@" if self._options.auth else "")

    @property
    def members(self) -> tuple[Member, ...]:
        """The members, running or not. A standalone server is one too."""
        if not self._members:
            raise RuntimeError("The local MongoDB has no members yet: start it first.")
        return tuple(self._members)

    @property
    def primary(self) -> Member:
        """The current primary.

        Raises:
            RuntimeError: There is none. :meth:`wait_for_primary` waits for one.
        """
        return self.wait_for_primary(0)

    @property
    def secondaries(self) -> tuple[Member, ...]:
        """The members that report that they are secondaries."""
        return tuple(member for member in self.members if member.is_secondary)

    @property
    def running(self) -> bool:
        """Whether the processes of all members are running."""
        return bool(self._members) and all(member.running for member in self._members)

    def start(self) -> None:
        """Start the members that are not running, and wait for a primary and until all serve.

        After :meth:`kill`, they start again on the same ports with the same data. After
        :meth:`close`, they start on the same ports, with the same data if ``storage_path`` was
        given.

        Raises:
            RuntimeError: It is already running, or does not serve within 60 s. The message then
                quotes its last output.
        """
        if self.running:
            raise RuntimeError("The local MongoDB is already running.")
        deadline = time.monotonic() + START_TIMEOUT
        first = not self._members
        try:
            if first:
                self._make_members()
            starting = [member for member in self._members if not member.running]
            for member in starting:
                member.launch()
            for member in starting:
                member.wait_until_listening(deadline)
            self._ports = [member.port for member in self._members]
            if first and not self._options.standalone:
                replica_set.configure(self._members, self._settings)
            replica_set.elect(self._members, deadline)
            if first and self._options.auth:
                self._create_admin()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop every member and remove the temporary folder. Has no effect if already closed.

        If a ``storage_path`` was given, the members are shut down cleanly.
        """
        if self._tether is not None:
            if self._storage_path is not None:
                for member in self._members:
                    member.terminate()
            self._tether.close()
            self._members, self._tether = [], None

    def wait_for_primary(self, timeout: float = START_TIMEOUT) -> Member:
        """Wait for a primary and return it.

        Args:
            timeout: Seconds to wait. Default: 60.

        Raises:
            RuntimeError: There was no primary in that time.
        """
        deadline = time.monotonic() + timeout
        while True:
            if primary := replica_set.primary_of(self.members):
                return primary
            if time.monotonic() >= deadline:
                raise RuntimeError(f"There is no primary: {', '.join(map(repr, self.members))}.")
            time.sleep(POLL_INTERVAL)

    def kill(self) -> None:
        """Kill every member, like a crash (SIGKILL). The data is kept."""
        for member in self.members:
            member.kill()

    def stop(self) -> None:
        """Make every member hang (SIGSTOP): connections stay open, but nothing is answered."""
        for member in self.members:
            member.stop()

    def cont(self) -> None:
        """Resume the stopped members (SIGCONT)."""
        for member in self.members:
            if member.running:
                member.cont()

    def restart(self) -> None:
        """Kill every member and start them again, on the same ports with the same data."""
        self.kill()
        self.start()

    def step_down(self, seconds: int = 10) -> None:
        """Make the primary step down; see :meth:`Member.step_down`."""
        self.primary.step_down(seconds)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LocalMongo({self.description}: {self._members or 'not started'})"

    def _make_members(self) -> None:
        self._tether = Tether()
        self._options.write_key_file(self._tether.folder)
        storage = self._storage_path or self._tether.folder
        self._members = [
            Member(
                f"mongod-{number}",
                self._program.path,
                self._options,
                self._tether,
                storage=storage / f"member-{number}",
                port=port,
                alone=len(self._ports) == 1,
            )
            for number, port in enumerate(self._ports)
        ]

    def _create_admin(self) -> None:
        with self.wait_for_primary().connect() as client:
            user: dict[str, Any] = {"pwd": self._password, "roles": ["root"]}
            try:
                client.admin.command("createUser", ADMIN, **user)
            except OperationFailure as error:
                if error.code != USER_EXISTS:
                    raise
                client.admin.command("updateUser", ADMIN, **user)

    def _uri(self, credentials: str) -> str:
        hosts = ",".join(member.address for member in self.members)
        options = [] if self._options.standalone else [f"replicaSet={REPLICA_SET}"]
        if self._options.tls_certificate_key_file:
            options.append("tls=true")
        query = f"?{'&'.join(options)}" if options else ""
        return f"mongodb://{credentials}{hosts}/{query}"


def _absolute(path: str | os.PathLike[str] | None) -> Path | None:
    return None if path is None else Path(path).absolute()
