"""The local MongoDB: it starts, answers, keeps its data, fails when told, and leaves nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
import trustme
from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure

from tests.testing.waiting import eventually
from zoho_mongo_store.testing import LocalMongo, local_mongo, member
from zoho_mongo_store.testing.member import Member

Client = MongoClient[dict[str, Any]]
FAIL_POINT: dict[str, Any] = {
    "mode": {"times": 1},
    "data": {"failCommands": ["find"], "errorCode": 1},
}
QUICK_ELECTIONS = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200}


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalMongo]:
    """A replica set of one with the default options, for tests that leave it as it is."""
    with LocalMongo() as mongo:
        yield mongo


@pytest.fixture(scope="module")
def three() -> Iterator[LocalMongo]:
    """A replica set of three that elects quickly; each test leaves all members in order."""
    with LocalMongo(members=3, replica_set_settings=QUICK_ELECTIONS) as mongo:
        yield mongo


def connect(mongo: LocalMongo, **options: Any) -> Client:
    return MongoClient(mongo.uri, **{"serverSelectionTimeoutMS": 20_000, **options})


def is_listening(port: int) -> bool:
    with closing(socket.socket()) as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def test_any_process_can_use_the_uri(shared: LocalMongo) -> None:
    script = (
        "import sys, pymongo\n"
        "with pymongo.MongoClient(sys.argv[1]) as client:\n"
        "    client.test.things.insert_one({'_id': sys.argv[2]})\n"
    )
    for name in ("one", "two"):
        subprocess.run([sys.executable, "-c", script, shared.uri, name], check=True, timeout=60)
    with connect(shared) as client:
        assert sorted(client.test.things.distinct("_id")) == ["one", "two"]


def test_it_says_what_it_is(shared: LocalMongo, three: LocalMongo) -> None:
    for mongo, kind in ((shared, "a replica set of one"), (three, "a replica set of three")):
        with connect(mongo) as client:
            assert client.server_info()["version"] == mongo.version
        assert mongo.description == f"MongoDB {mongo.version}, {kind}"


def test_it_cannot_be_started_twice_and_has_no_address_before(shared: LocalMongo) -> None:
    with pytest.raises(RuntimeError, match="already running"):
        shared.start()
    with pytest.raises(RuntimeError, match="start it first"):
        _ = LocalMongo().uri
    assert shared.admin_uri == shared.uri


@pytest.mark.parametrize(
    "options",
    [
        {"members": 0},
        {"members": 8},
        {"members": 3, "standalone": True},
        {"standalone": True, "replica_set_settings": QUICK_ELECTIONS},
        {"tls_ca_file": "ca.pem"},
        {"tls_certificate_key_file": "server.pem"},
        {"tls_require_client_certificate": True},
    ],
)
def test_options_that_contradict_each_other(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"members|standalone|tls"):
        LocalMongo(**options)


def test_test_commands_are_off_unless_asked_for(shared: LocalMongo) -> None:
    with connect(shared) as client, pytest.raises(OperationFailure):
        client.admin.command("configureFailPoint", "failCommand", **FAIL_POINT)


@pytest.mark.usefixtures("temporary_folders")
def test_a_standalone_server_with_options() -> None:
    with LocalMongo(
        standalone=True,
        test_commands=True,
        set_parameters={"ttlMonitorSleepSecs": 7, "ttlMonitorEnabled": False},
        mongod_options=["--slowms=321"],
    ) as mongo:
        assert mongo.description.endswith(", standalone")
        assert mongo.primary is mongo.members[0]
        with connect(mongo) as client:
            assert "setName" not in client.admin.command("hello")
            options = client.admin.command("getCmdLineOpts")["parsed"]
            assert options["operationProfiling"] == {"slowOpThresholdMs": 321}
            found = client.admin.command("getParameter", ttlMonitorSleepSecs=1, ttlMonitorEnabled=1)
            assert (found["ttlMonitorSleepSecs"], found["ttlMonitorEnabled"]) == (7, False)
            client.admin.command("configureFailPoint", "failCommand", **FAIL_POINT)
            with pytest.raises(OperationFailure):
                client.test.things.find_one()


def test_close_leaves_no_process_no_port_no_folder(temporary_folders: Path) -> None:
    before = psutil.Process().children(recursive=True)
    mongo = LocalMongo()
    mongo.start()
    only = mongo.members[0]
    pid, port = only.pid, only.port
    assert pid is not None
    assert is_listening(port)
    assert len(list(temporary_folders.iterdir())) == 1
    mongo.close()
    assert not psutil.pid_exists(pid)
    assert not is_listening(port)
    assert not Path(f"/tmp/mongodb-{port}.sock").exists()  # noqa: S108 - where mongod would make it
    assert psutil.Process().children(recursive=True) == before
    assert list(temporary_folders.iterdir()) == []
    assert (mongo.running, only.running, only.pid) == (False, False, None)
    mongo.close()
    with mongo, connect(mongo) as client:  # It can be started again, on the same port, empty.
        assert mongo.members[0].port == port
        assert client.test.list_collection_names() == []


@pytest.mark.usefixtures("temporary_folders")
def test_kill_keeps_the_data_and_start_serves_it_again_on_the_same_port() -> None:
    with LocalMongo() as mongo, connect(mongo) as client:
        only = mongo.members[0]
        port, pid = only.port, only.pid
        client.test.things.insert_one({"_id": "kept"})
        mongo.kill()
        assert not mongo.running
        assert not is_listening(port)
        with pytest.raises(RuntimeError, match="no primary"):
            _ = mongo.primary
        # The port is taken for a moment: the start waits until it is free.
        with closing(socket.create_server(("127.0.0.1", port))) as other:
            timer = threading.Timer(1.5, other.close)
            timer.start()
            mongo.start()
            timer.join()
        assert (only.port, mongo.primary) == (port, only)
        assert only.pid != pid
        assert client.test.things.distinct("_id") == ["kept"]
        mongo.restart()
        assert client.test.things.distinct("_id") == ["kept"]
        mongo.step_down(1)
        assert not only.is_primary
        assert mongo.wait_for_primary() is only


def test_stop_is_silence_and_cont_ends_it(shared: LocalMongo) -> None:
    with connect(shared) as client:
        client.admin.command("ping")
        shared.stop()
        try:
            assert shared.members[0].running
            assert shared.members[0].hello() is None
            with (
                connect(shared, serverSelectionTimeoutMS=500, connectTimeoutMS=500) as waiting,
                pytest.raises(ConnectionFailure),
            ):
                waiting.admin.command("ping")
        finally:
            shared.cont()
        assert client.admin.command("ping")["ok"] == 1


@pytest.mark.usefixtures("temporary_folders")
def test_another_port_is_taken_where_the_first_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        taken = other.getsockname()[1]
        ports = iter([taken, member.free_port()])
        monkeypatch.setattr(member, "free_port", lambda: next(ports))
        with LocalMongo(standalone=True) as mongo:
            assert mongo.members[0].port != taken
            with connect(mongo) as client:
                assert client.admin.command("ping")["ok"] == 1


@pytest.mark.usefixtures("temporary_folders")
def test_a_failure_to_start_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    launches: list[Member] = []
    launch = Member.launch

    def counted(one: Member) -> None:
        launches.append(one)
        launch(one)

    monkeypatch.setattr(Member, "launch", counted)
    mongo = LocalMongo(mongod_options=["--no-such-option"])
    with pytest.raises(RuntimeError, match=r"(?s)mongod-0 ended .*output:.*no-such-option"):
        mongo.start()
    assert len(launches) == 1
    assert not mongo.running


@pytest.mark.usefixtures("temporary_folders")
def test_a_port_that_stays_taken_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        monkeypatch.setattr(member, "free_port", lambda: other.getsockname()[1])
        monkeypatch.setattr(local_mongo, "START_TIMEOUT", 5.0)
        with pytest.raises(RuntimeError, match=r"(?s)Its last output:.*Address already in use"):
            LocalMongo().start()


def test_storage_and_authentication_over_restarts(tmp_path: Path, temporary_folders: Path) -> None:
    """Data and users stay for another object too, though its ports and its key are others."""
    storage = tmp_path / "storage"
    with LocalMongo(auth=True, storage_path=storage) as mongo:
        with connect(mongo) as client, pytest.raises(OperationFailure):
            client.test.things.find_one()
        with Client(mongo.admin_uri) as client:
            client.test.things.insert_one({"_id": "kept"})
            client.admin.command("createUser", "ada", pwd="lovelace", roles=["readAnyDatabase"])
        with connect(mongo, username="ada", password="lovelace") as client:
            assert client.test.things.distinct("_id") == ["kept"]
            with pytest.raises(OperationFailure):
                client.test.things.insert_one({})
    assert list(temporary_folders.iterdir()) == []
    with LocalMongo(auth=True, storage_path=storage) as mongo:
        for uri in (mongo.admin_uri, mongo.uri.replace("//", "//ada:lovelace@")):
            with Client(uri, serverSelectionTimeoutMS=20_000) as client:
                assert client.test.things.distinct("_id") == ["kept"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files: the authority, and the certificates of the server and of a client with their keys."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    files = {name: str(folder / f"{name}.pem") for name in ("authority", "server", "client")}
    authority.cert_pem.write_to_path(files["authority"])
    for name, identity in (("server", "127.0.0.1"), ("client", "client")):
        issued = authority.issue_cert(identity)
        issued.private_key_and_cert_chain_pem.write_to_path(files[name])
    return files


@pytest.mark.usefixtures("temporary_folders")
@pytest.mark.parametrize("required", [False, True])
def test_tls(certificates: dict[str, str], required: bool) -> None:
    trusting: dict[str, Any] = {"tlsCAFile": certificates["authority"]}
    presenting = {**trusting, "tlsCertificateKeyFile": certificates["client"]}
    with LocalMongo(
        members=3 if required else 1,
        auth=required,
        tls_certificate_key_file=certificates["server"],
        tls_ca_file=certificates["authority"],
        tls_require_client_certificate=required,
    ) as mongo:
        with Client(mongo.admin_uri, **presenting) as client:
            assert client.admin.command("ping")["ok"] == 1
            assert len(mongo.secondaries) == len(mongo.members) - 1
        with connect(mongo, **trusting, serverSelectionTimeoutMS=500) as client:
            if required:
                with pytest.raises(ConnectionFailure):
                    client.admin.command("hello")
            else:
                assert client.admin.command("hello")["ok"] == 1
        plain = f"mongodb://{mongo.members[0].address}/?directConnection=true"
        with (
            Client(plain, serverSelectionTimeoutMS=500) as client,
            pytest.raises(ConnectionFailure),
        ):
            client.admin.command("hello")


def test_the_uri_names_all_members(three: LocalMongo) -> None:
    addresses = {one.address for one in three.members}
    assert len(addresses) == 3
    for address in addresses:
        assert address in three.uri
    with connect(three) as client:
        assert {f"{host}:{port}" for host, port in client.nodes} <= addresses
        config = client.admin.command("replSetGetConfig")["config"]
    assert [one["host"] for one in config["members"]] == [one.address for one in three.members]
    assert config["settings"]["electionTimeoutMillis"] == 1000
    primary = three.primary
    assert {primary, *three.secondaries} == set(three.members)
    with Client(three.secondaries[0].uri) as client:  # To this member alone.
        assert client.admin.command("hello")["secondary"]


def in_order(three: LocalMongo) -> bool:
    return sum(one.is_primary for one in three.members) == 1 and len(three.secondaries) == 2


@pytest.mark.parametrize("fault", ["kill", "stop", "step_down"])
def test_another_member_takes_over(three: LocalMongo, fault: str) -> None:
    before = three.primary
    with connect(three) as client:
        client.test[fault].insert_one({"_id": "before"})
        getattr(before, fault)()
        after = three.wait_for_primary()
        assert after is not before
        client.test[fault].insert_one({"_id": "after"})
        assert sorted(client.test[fault].distinct("_id")) == ["after", "before"]
    if fault == "kill":
        assert not before.running
        before.restart()
    elif fault == "stop":
        assert before.running
        before.cont()
    assert eventually(lambda: in_order(three))
    assert three.primary is after


PARENT = """
import os, time
from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

with LocalMongo() as mongo, LoopbackZoho() as zoho:
    sibling = os.fork()  # Holds what the parent held open, and outlives it.
    if sibling == 0:
        time.sleep(60)
        os._exit(0)
    print(sibling, mongo.members[0].port, mongo.members[0].pid, zoho.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_the_servers_of_a_killed_parent_go_with_it(temporary_folders: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(temporary_folders)}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        try:
            assert parent.stdout is not None
            sibling, port, *pids = map(int, parent.stdout.readline().split())
            children = [psutil.Process(pid) for pid in pids]
            assert all(child.is_running() for child in children)
            assert is_listening(port)
        finally:
            parent.kill()
        try:
            gone, alive = psutil.wait_procs(children, timeout=30)
            assert (len(gone), alive) == (2, [])
            assert not is_listening(port)
        finally:
            os.kill(sibling, signal.SIGKILL)
    assert eventually(lambda: list(temporary_folders.iterdir()) == [])
