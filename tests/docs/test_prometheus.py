"""The page's metrics for Prometheus, with gunicorn's several processes."""

import http.client
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, programs
from tests.engines import SERVERS
from tests.faults.gunicorn_server import options_of_this_gunicorn
from tests.processes import end
from tests.refresh.callers import Fleet
from tests.waiting import eventually
from zoho_mongo_store.testing import LoopbackZoho

PAGE = DOCS / "operate" / "metrics.md"
WORKERS = 2
# Added to the page's application.
SITE = """
import os
import time
from tests.refresh.callers import ask, driving
from tests.tokens import make_token
from zoho_mongo_store.testing import LoopbackZoho
from metrics import app, store


@app.get("/token/<id>")
def token(id):
    with driving(store, LoopbackZoho.at(os.environ["ZOHO_URL"])):
        return str(ask(make_token(id=id)).error)


@app.get("/worker")
def worker():
    # Long enough for another worker to take the next request.
    time.sleep(0.2)
    return str(os.getpid())
"""

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)


def test_prometheus_with_several_processes(fleet: Fleet, tmp_path: Path) -> None:
    application, configuration = programs(PAGE, "Prometheus.*?workers")
    (tmp_path / "metrics.py").write_text(application)
    (tmp_path / "gunicorn.conf.py").write_text(configuration)
    (tmp_path / "site_of_the_test.py").write_text(SITE)
    users = [fleet.stored() for _ in range(5)]
    fleet.zoho.revoke(users[-1]["refresh_token"])

    with running_gunicorn(tmp_path, fleet.zoho) as port:
        workers: set[str] = set()

        def all_answer() -> bool:
            with ThreadPoolExecutor(2 * WORKERS) as pool:
                workers.update(pool.map(partial(get, port), ["/worker"] * 2 * WORKERS))
            return len(workers) == WORKERS

        assert eventually(all_answer)
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(partial(get, port), [f"/token/{fields['id']}" for fields in users]))
            pages = pool.map(partial(get, port), ["/metrics"] * 20)
            seen = {
                tuple(re.findall(r"(?m)^zoho_token_(?:events|\w+_count).*", text)) for text in pages
            }

    (lines,) = seen
    assert set(lines) == {
        'zoho_token_events_total{event="refreshed"} 4.0',
        'zoho_token_events_total{event="refresh_refused"} 1.0',
        'zoho_token_refresh_seconds_count{outcome="refreshed"} 4.0',
        'zoho_token_refresh_seconds_count{outcome="refresh_refused"} 1.0',
    }


@contextmanager
def running_gunicorn(folder: Path, zoho: LoopbackZoho) -> Iterator[int]:
    """Run the page's application, with a route of the test's; yields its port."""
    (folder / "counts").mkdir()
    log = folder / "log"
    environment = {
        **os.environ,
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "counts"),
        "PYTHONPATH": str(ROOT),
        "ZOHO_URL": zoho.url,
    }
    command = [sys.executable, "-m", "gunicorn", f"--workers={WORKERS}", "--bind=127.0.0.1:0"]
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, *options_of_this_gunicorn(), "site_of_the_test:app"],
            cwd=folder,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        assert eventually(lambda: log.read_text().count("Booting worker") == WORKERS, 60)
        (port,) = re.findall(r"Listening at: http://127\.0\.0\.1:(\d+)", log.read_text())
        yield int(port)
    finally:
        end(process, 20)


def get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200
        return response.read().decode()
    finally:
        connection.close()
