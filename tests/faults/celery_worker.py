"""A Celery worker whose pool forks its processes from one that has used its store."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celery import Celery

from tests.processes import end
from tests.waiting import eventually

CONCURRENCY = 3


@contextmanager
def running_celery(uri: str, folder: Path) -> Iterator[Celery]:
    """A worker with a pool of forked processes, and the application that sends it tasks."""
    for name in ("queue", "control", "results"):
        (folder / name).mkdir()
    log = folder / "celery.log"
    environment = {**os.environ, "ZOHO_MONGO_URI": uri, "ZOHO_MONGO_CELERY_FOLDER": str(folder)}
    options = ["--pool=prefork", f"--concurrency={CONCURRENCY}", "--without-mingle"]
    options += ["--without-gossip", "--without-heartbeat", "--loglevel=INFO"]
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "tests.faults.celery_app", "worker", *options],
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    sender = Celery(broker="filesystem://", backend=f"file://{folder}/results")
    sender.conf.broker_transport_options = {
        "data_folder_in": f"{folder}/queue",
        "data_folder_out": f"{folder}/queue",
        "control_folder": f"{folder}/control",
    }
    try:
        assert eventually(lambda: " ready." in log.read_text(), 60), log.read_text()
        yield sender
    finally:
        end(process, 30)
