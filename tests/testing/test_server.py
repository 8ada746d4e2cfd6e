"""The embedded server: it starts, answers, keeps its documents, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
import trustme
from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure

from zoho_mongo_store.testing import EmbeddedServer
from zoho_mongo_store.testing import server as server_module
from zoho_mongo_store.testing.child import Child

Client = MongoClient[dict[str, Any]]


@pytest.fixture(autouse=True)
def temporary_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the servers make their folders; none of them may be left after a test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def connect(server: EmbeddedServer, **options: Any) -> Client:
    return MongoClient(server.uri, serverSelectionTimeoutMS=5000, **options)


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def is_listening(port: int) -> bool:
    with closing(socket.socket()) as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def test_any_process_can_use_the_uri() -> None:
    script = (
        "import sys, pymongo\n"
        "with pymongo.MongoClient(sys.argv[1]) as client:\n"
        "    client.test.things.insert_one({'_id': sys.argv[2]})\n"
    )
    with EmbeddedServer() as server:
        for name in ("one", "two"):
            subprocess.run([sys.executable, "-c", script, server.uri, name], check=True, timeout=60)
        with connect(server) as client:
            assert sorted(client.test.things.distinct("_id")) == ["one", "two"]


def test_stop_leaves_no_process_no_port_no_folder(temporary_folders: Path) -> None:
    server = EmbeddedServer()
    server.start()
    pid, port = server.pid, server.port
    assert pid is not None
    assert psutil.pid_exists(pid)
    assert is_listening(port)
    assert len(list(temporary_folders.iterdir())) == 1
    server.stop()
    assert not psutil.pid_exists(pid)
    assert not is_listening(port)
    assert list(temporary_folders.iterdir()) == []
    assert (server.running, server.pid) == (False, None)
    server.stop()


def test_a_storage_path_keeps_the_documents_over_a_restart(tmp_path: Path) -> None:
    server = EmbeddedServer(storage_path=tmp_path / "storage")
    with server:
        port = server.port
        with connect(server) as client:
            client.test.things.insert_one({"_id": "kept"})
    with server:
        assert server.port == port
        with connect(server) as client:
            assert client.test.things.distinct("_id") == ["kept"]


def test_a_temporary_storage_starts_empty_after_stop() -> None:
    server = EmbeddedServer()
    for _ in range(2):
        with server, connect(server) as client:
            assert client.test.things.count_documents({}) == 0
            client.test.things.insert_one({})


def test_kill_keeps_the_storage_and_start_serves_it_again_on_the_same_port() -> None:
    with EmbeddedServer(sync_on_commit=True) as server:
        port, pid = server.port, server.pid
        with connect(server) as client:
            client.test.things.insert_one({"_id": "kept"})
        server.kill()
        assert not server.running
        assert not is_listening(port)
        server.start()
        assert server.port == port
        assert server.pid != pid
        with connect(server) as client:
            assert client.test.things.distinct("_id") == ["kept"]


def test_a_port_that_is_taken_for_a_moment_is_waited_for() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        timer = threading.Timer(1.5, other.close)
        timer.start()
        with EmbeddedServer(port=port) as server:
            assert server.port == port
            with connect(server) as client:
                assert client.admin.command("ping")["ok"] == 1
        timer.join()


def test_a_port_that_stays_taken_is_an_error_with_the_output(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "START_TIMEOUT", 2.0)
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        server = EmbeddedServer(port=other.getsockname()[1])
        with pytest.raises(RuntimeError, match=r"secantus .* Its last output:"):
            server.start()
    assert not server.running


def test_another_failure_to_start_is_an_error_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "START_TIMEOUT", 5.0)
    storage = tmp_path / "storage"
    storage.write_text("a file, where a folder must be")
    starts: list[tuple[str, ...]] = []
    start = Child.start

    def counted(child: Child, *arguments: str) -> None:
        starts.append(arguments)
        start(child, *arguments)

    monkeypatch.setattr(Child, "start", counted)
    with pytest.raises(RuntimeError, match="secantus ended before it was ready"):
        EmbeddedServer(storage_path=storage).start()
    assert len(starts) == 1


def test_a_configuration_in_the_home_folder_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / ".secantus").mkdir(parents=True)
    (home / ".secantus" / "secantusd.toml").write_text("not [ TOML")
    (home / "secantusd.toml").write_text("not [ TOML")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    with EmbeddedServer() as server:
        assert server.running


def test_authentication(tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    with EmbeddedServer(storage_path=storage) as server, connect(server) as client:
        client.admin.command("createUser", "ada", pwd="lovelace", roles=["root"])
    with EmbeddedServer(storage_path=storage, auth=True) as server:
        with connect(server) as client, pytest.raises(OperationFailure):
            client.test.things.find_one()
        with connect(server, username="ada", password="lovelace") as client:
            assert client.test.things.find_one() is None


@pytest.fixture
def certificates(tmp_path: Path) -> dict[str, Path]:
    """Files: the authority, and a server's and a client's certificate with their keys."""
    authority = trustme.CA()
    names = ("authority", "certificate", "key", "client")
    files = {name: tmp_path / f"{name}.pem" for name in names}
    authority.cert_pem.write_to_path(files["authority"])
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(files["certificate"])
    certificate.private_key_pem.write_to_path(files["key"])
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(files["client"])
    return files


def test_tls(certificates: dict[str, Path]) -> None:
    with EmbeddedServer(
        tls_cert_file=certificates["certificate"], tls_key_file=certificates["key"]
    ) as server:
        with connect(server, tlsCAFile=str(certificates["authority"])) as client:
            assert client.admin.command("ping")["ok"] == 1
        plain = f"mongodb://127.0.0.1:{server.port}/"
        with (
            MongoClient[dict[str, Any]](plain, serverSelectionTimeoutMS=500) as client,
            pytest.raises(ConnectionFailure),
        ):
            client.admin.command("ping")


def test_tls_with_client_certificates(certificates: dict[str, Path]) -> None:
    authority = str(certificates["authority"])
    with EmbeddedServer(
        tls_cert_file=certificates["certificate"],
        tls_key_file=certificates["key"],
        tls_ca_file=authority,
        require_client_cert=True,
    ) as server:
        with connect(
            server, tlsCAFile=authority, tlsCertificateKeyFile=str(certificates["client"])
        ) as client:
            assert client.admin.command("ping")["ok"] == 1
        with (
            MongoClient[dict[str, Any]](
                server.uri, tlsCAFile=authority, serverSelectionTimeoutMS=500
            ) as client,
            pytest.raises(ConnectionFailure),
        ):
            client.admin.command("ping")


@pytest.mark.parametrize("allowed", [True, False])
def test_test_commands_are_off_unless_asked_for(allowed: bool) -> None:
    with EmbeddedServer(test_commands=allowed) as server, connect(server) as client:
        fail_point: dict[str, Any] = {
            "mode": {"times": 1},
            "data": {"failCommands": ["find"], "errorCode": 1},
        }
        if not allowed:
            with pytest.raises(OperationFailure):
                client.admin.command("configureFailPoint", "failCommand", **fail_point)
            return
        client.admin.command("configureFailPoint", "failCommand", **fail_point)
        with pytest.raises(OperationFailure):
            client.test.things.find_one()


def test_it_cannot_be_started_twice_and_has_no_address_before() -> None:
    server = EmbeddedServer()
    with pytest.raises(RuntimeError, match="start it first"):
        _ = server.uri
    with server, pytest.raises(RuntimeError, match="runs already"):
        server.start()


def test_without_secantusdb_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "secantus", None)
    with pytest.raises(ImportError, match=r"pip install 'zoho-mongo-store\[testing\]'"):
        EmbeddedServer()


def test_the_package_imports_neither_server() -> None:
    script = (
        "import sys, zoho_mongo_store.testing\n"
        "assert 'zoho_mongo_store.testing.server' in sys.modules\n"
        "print([name for name in ('werkzeug', 'secantus') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, timeout=60, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"


PARENT = """
import os, sys, time
from zoho_mongo_store.testing import EmbeddedServer, LoopbackZoho

with EmbeddedServer() as server, LoopbackZoho() as zoho:
    sibling = os.fork()  # Holds what the parent held open, and outlives it.
    if sibling == 0:
        time.sleep(60)
        os._exit(0)
    print(server.pid, zoho.pid, sibling, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_the_children_of_a_killed_parent_go_with_it(temporary_folders: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(temporary_folders)}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        try:
            assert parent.stdout is not None
            server, zoho, sibling = map(int, parent.stdout.readline().split())
            children = [psutil.Process(server), psutil.Process(zoho)]
            assert all(child.is_running() for child in children)
        finally:
            parent.kill()
        try:
            gone, alive = psutil.wait_procs(children, timeout=20)
            assert (len(gone), alive) == (2, [])
        finally:
            os.kill(sibling, signal.SIGKILL)
    assert eventually(lambda: list(temporary_folders.iterdir()) == [])


def test_a_child_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stubborn.py").write_text(
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    child = Child("stubborn")
    child.start()
    child.wait_for_output("ready", time.monotonic() + 20)
    pid = child.pid
    child.terminate(grace=0.5)
    child.remove_folder()
    assert pid is not None
    assert not psutil.pid_exists(pid)


def test_a_child_that_fails_is_an_error_with_its_last_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing.py").write_text("raise SystemExit('what went wrong')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    child = Child("failing")
    child.start()
    with pytest.raises(RuntimeError, match=r"(?s)failing ended before.*what went wrong"):
        child.wait_for_output("ready", time.monotonic() + 20)
    child.terminate()
    child.remove_folder()
