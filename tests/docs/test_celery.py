"""The tasks of guides/celery.md, in a worker whose pool forks."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery

from tests.docs.pages import DOCS, file_of
from tests.docs.reader import site_folder
from tests.engines import SERVERS
from tests.processes import end
from tests.refresh.callers import Fleet
from tests.waiting import eventually

PAGE = DOCS / "guides" / "celery.md"
TASKS = 16
# A broker in files, in place of a server.
TRANSPORT = {"data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control"}
WORKER = f"""
from tasks import app

app.conf.update(
    broker_url="filesystem://",
    result_backend="file://results",
    broker_transport_options={TRANSPORT},
)
"""

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)


def test_the_tasks_of_a_worker(fleet: Fleet, page_folder: Path) -> None:
    fleet.zoho.configure(delay=0.3)
    due, over = fleet.stored(), fleet.stored(refresh_token=None)

    with worker(page_folder) as sender:
        sent = [sender.send_task("tasks.company_name", [due["user_name"]]) for _ in range(TASKS)]
        ended = sender.send_task("tasks.company_name", [over["user_name"]])
        names = {one.get(timeout=60) for one in sent}
        assert ended.get(timeout=60) is None

    assert names == {"Organization 10001"}
    assert fleet.zoho.count("refresh") == 1


@contextmanager
def worker(folder: Path) -> Iterator[Celery]:
    """The page's worker, and what sends it tasks."""
    for name in ("queue", "control", "results"):
        (folder / name).mkdir()
    (folder / "tasks.py").write_text(file_of(PAGE, "tasks.py"))
    (folder / "worker_of_the_test.py").write_text(WORKER)
    command = file_of(PAGE, "", language="sh").replace("--app tasks", "--app worker_of_the_test")
    assert "worker_of_the_test" in command
    options = ["--without-mingle", "--without-gossip", "--without-heartbeat", "--loglevel=INFO"]
    log = folder / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *shlex.split(command), *options],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": f"{site_folder(folder)}:{folder}"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    sender = Celery("sender", broker="filesystem://", backend=f"file://{folder}/results")
    sender.conf.broker_transport_options = {
        name: str(folder / path) for name, path in TRANSPORT.items()
    }
    try:
        assert eventually(lambda: " ready." in log.read_text(), 60), log.read_text()
        yield sender
    finally:
        end(process, 30)
