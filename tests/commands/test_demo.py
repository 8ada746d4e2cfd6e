"""The demo through its entry point: what it shows, what it hides, and what it leaves behind."""

import contextlib
import multiprocessing
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from tests.commands.running import COMMAND, GRACE, Finished, Running, run, running
from tests.engines import SERVERS, Engine
from zoho_mongo_store.commands.demo import stage
from zoho_mongo_store.commands.demo.process import DemoSetup
from zoho_mongo_store.model.document import SECRET_FIELDS
from zoho_mongo_store.testing import LoopbackZoho

DEMO = (str(COMMAND), "demo")
STEPS = [
    "Log in with a grant token",
    "Call the API",
    "A second process knows only the user name",
    "A third process knows only the id",
    "The access token expires",
    "Six processes meet one expired token",
    "A second user logs in",
    "Revoke and delete",
]
TOKEN = re.compile(r"1000\.[0-9a-f]{16}")


def assert_nothing_left(finished: Finished, folder: Path) -> None:
    """No process that it started, no port, no file; the last process may need a moment."""
    _, alive = psutil.wait_procs(finished.processes, timeout=GRACE)
    assert not alive
    for port in finished.ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=GRACE)
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The demo on a MongoDB of its own, run to its end, with nothing left behind."""
    folder = tmp_path_factory.mktemp("demo")
    finished = run(*DEMO, folder=folder)
    assert_nothing_left(finished, folder)
    return finished


def test_all_steps_do_what_they_say(finished: Finished) -> None:
    assert (finished.status, finished.errors) == (0, "")
    assert re.findall(r"(?m)^\d+\. (.+?) \W+$", finished.output) == STEPS
    assert f"All {len(STEPS)} steps did what they say" in finished.output


def test_its_parts_are_processes_of_their_own(finished: Finished) -> None:
    lines = re.findall(r"(?m)^What process(?:es)? ([\d, \n]+) did$", finished.output)
    applications = {pid for line in lines for pid in re.findall(r"\d+", line)}
    assert len(applications) == 4 + 6
    assert applications <= {str(process.pid) for process in finished.processes}
    assert len(finished.ports) == 2  # MongoDB and Zoho.


def rows(output: str) -> list[list[str]]:
    """The cells of all tables, row by row."""
    lines = [line for line in output.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def test_what_happened_is_told_in_order(finished: Finished) -> None:
    first_table = rows(finished.output.split("The stored document")[0])
    assert [(where, what) for where, what, *_ in first_table[-5:]] == [
        ("store", "find_token"),
        ("Zoho", "POST /oauth/v2/token"),
        ("Zoho", "GET /users"),
        ("Zoho", "GET /org"),
        ("store", "save_token"),
    ]


def test_one_refresh_serves_all_processes(finished: Finished) -> None:
    fleet = finished.output.split("meet one expired token")[1].split("A second user logs in")[0]
    assert [row[-1] for row in rows(fleet) if row[2] == "refresh"] == ["1"]
    assert [row[-1] for row in rows(fleet) if row[1] == "GET /org"] == ["6"]


def test_document_and_indexes_are_shown(finished: Finished) -> None:
    cells = rows(finished.output)
    document = dict(row for row in cells if len(row) == 2)
    assert document["user_name"] == "ada@example.com:10001"
    tokens = [document[field] for field in ("access_token", "refresh_token", "grant_token")]
    assert tokens == ["1000.****"] * 3
    assert document["client_secret"] == "****"
    assert ["user_name_1", "yes", "yes"] in cells
    assert ["id_1", "yes", ""] in cells


def test_a_pipe_gets_80_columns_without_colour(finished: Finished) -> None:
    assert "\x1b" not in finished.output
    assert max(map(len, finished.output.splitlines())) <= 80


def test_no_token_has_the_form_of_one(finished: Finished) -> None:
    assert not TOKEN.search(finished.output)
    assert LoopbackZoho.client_secret not in finished.output


@contextlib.contextmanager
def collected_secrets(engine: Engine, database: str) -> Iterator[set[str]]:
    """All secrets that are seen in the database while the block runs."""
    secrets: set[str] = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            for document in engine.client[database].oauthtoken.find():
                secrets.update(document[field] for field in SECRET_FIELDS if field in document)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield secrets
    finally:
        stop.set()
        thread.join()


def own_database(process: Running) -> str:
    """The name of the database that the demo says it uses, before it begins."""
    match = re.search(r"\bzoho_mongo_store_demo_[0-9a-f]{8}\b", process.wait_for("1. Log in"))
    assert match
    return match[0]


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
class TestGivenServer:
    def test_is_used_and_left_as_it_was(self, engine: Engine, tmp_path: Path) -> None:
        with running(*DEMO, folder=tmp_path, ZOHO_MONGO_URI=engine.uri) as process:
            database = own_database(process)
            with collected_secrets(engine, database) as secrets:
                finished = process.finish()
        assert (finished.status, finished.errors) == (0, "")
        assert len(finished.ports) == 1  # Zoho alone.
        # Two grants, two refresh tokens, four access tokens, one client secret.
        assert len(secrets) == 9
        assert not [secret for secret in secrets if secret in finished.output]
        assert_nothing_left(finished, tmp_path)
        assert database not in engine.client.list_database_names()

    @pytest.mark.parametrize(
        ("number", "status", "said"),
        [(signal.SIGINT, 130, "zoho-mongo-store demo: interrupted\n"), (signal.SIGTERM, 143, "")],
    )
    def test_is_left_as_it_was_after_a_signal(
        self, engine: Engine, tmp_path: Path, number: signal.Signals, status: int, said: str
    ) -> None:
        with running(*DEMO, folder=tmp_path, ZOHO_MONGO_URI=engine.uri) as process:
            database = own_database(process)
            process.wait_for("ok  one document is stored")
            assert database in engine.client.list_database_names()
            process.send(number)
            finished = process.finish()
        assert (finished.status, finished.errors) == (status, said)
        assert STEPS[-1] not in finished.output
        assert_nothing_left(finished, tmp_path)
        assert database not in engine.client.list_database_names()


@pytest.mark.parametrize("moment", ["1. Log in", "ok  one document is stored"])
def test_ctrl_c_leaves_no_server(tmp_path: Path, moment: str) -> None:
    with running(*DEMO, folder=tmp_path) as process:
        process.wait_for(moment)
        process.press_ctrl_c()
        finished = process.finish()
    assert (finished.status, finished.errors) == (130, "zoho-mongo-store demo: interrupted\n")
    assert len(finished.ports) == 2
    assert_nothing_left(finished, tmp_path)


def test_ctrl_c_while_a_process_starts_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    class Starting:
        def __init__(self, **_: object) -> None: ...

        def start(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    spawn = SimpleNamespace(Pipe=multiprocessing.Pipe, Process=Starting)
    monkeypatch.setattr(stage, "_spawn", spawn)
    with pytest.raises(KeyboardInterrupt):
        stage.Process(DemoSetup("", "", "", ""))


def test_a_server_that_is_away_is_one_line(tmp_path: Path) -> None:
    uri = "mongodb://ada:pass-word@127.0.0.1:1/?serverSelectionTimeoutMS=200"
    finished = run(*DEMO, folder=tmp_path, ZOHO_MONGO_URI=uri)
    assert (finished.status, finished.output) == (1, "")
    assert re.fullmatch(r"zoho-mongo-store demo: .*cannot be reached.*\n", finished.errors)
    assert "pass-word" not in finished.errors
    assert_nothing_left(finished, tmp_path)


SABOTAGED = """
from zoho_mongo_store.cli import main
from zoho_mongo_store.testing import LoopbackZoho

LoopbackZoho.is_live = lambda self, access_token: True
if __name__ == "__main__":
    main()
"""


def test_a_step_that_does_not_do_what_it_says_is_one_line(tmp_path: Path) -> None:
    script = tmp_path / "sabotaged.py"
    script.write_text(SABOTAGED)
    folder = tmp_path / "folder"
    folder.mkdir()
    finished = run(sys.executable, str(script), "demo", folder=folder)
    assert finished.status == 1
    reason = "this is not true: Zoho refuses the old one"
    assert finished.errors == f"zoho-mongo-store demo: {reason}\n"
    assert_nothing_left(finished, folder)
