"""The FastAPI application and the Celery worker, on the tokens of the portal."""

import http.client
import json
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from celery import Celery

from tests.examples.portal.site import (
    ADA,
    CONTACTS,
    EXAMPLES,
    GRACE,
    Site,
    free_address,
    running,
    variables,
    wait_for_answer,
)
from tests.waiting import eventually
from zoho_mongo_store.testing import LoopbackZoho

TASKS = 4  # for each user


class Client:
    """Somebody's cookies, without a browser."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cookies: dict[str, str] = {}

    def get(self, path: str) -> tuple[int, str, str]:
        """Status, body, and where a redirect leads."""
        connection = http.client.HTTPConnection(urlsplit(self._url).netloc, timeout=60)
        try:
            cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
            connection.request("GET", path, headers={"Cookie": cookies} if cookies else {})
            response = connection.getresponse()
            for line in response.headers.get_all("Set-Cookie", []):
                name, _, value = line.partition(";")[0].partition("=")
                self._cookies[name] = value
            return response.status, response.read().decode(), response.headers.get("Location", "")
        finally:
            connection.close()

    def log_in(self, zoho: LoopbackZoho, user: str) -> None:
        """As the user does, on Zoho's page."""
        _, _, authorize_url = self.get("/login")
        parts = urlsplit(zoho.accept(authorize_url, user))
        status, body, _ = self.get(f"{parts.path}?{parts.query}")
        assert status in (302, 307), body


@pytest.fixture
def logged_in(site: Site) -> Site:
    """The portal, with a user of each data centre logged in."""
    for user in (ADA, GRACE):
        Client(site.url).log_in(site.us, user)
    return site


def long_ago() -> datetime:
    """When an access token has expired."""
    return datetime.now(UTC) - timedelta(seconds=1)


@contextmanager
def running_api(site: Site, folder: Path) -> Iterator[str]:
    url, log = free_address(), folder / "api.log"
    callbacks = [f"{address}/callback" for address in (site.url, url)]
    site.us.register_client(callbacks, name="Harbour")
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "fastapi_app:app"]
    command += ["--port", url.rpartition(":")[2], "--no-access-log"]
    with running(command, variables(site.us, site.mongo_uri, url), log, folder):
        wait_for_answer(url, log)
        yield url
    assert "Traceback" not in log.read_text()


def test_fastapi(logged_in: Site, tmp_path: Path) -> None:
    site = logged_in
    before = {user: site.stored(user) for user in (ADA, GRACE)}
    with running_api(site, tmp_path) as url:
        assert Client(url).get("/contacts")[0] == 401
        clients = {user: Client(url) for user in before}
        for user, client in clients.items():
            client.log_in(site.us, user)

        def names(user: str) -> list[str]:
            status, body, _ = clients[user].get("/contacts")
            assert status == 200, body
            return [name for name, _, _ in json.loads(body)]

        with ThreadPoolExecutor(8) as threads:
            seen = list(threads.map(names, [ADA, GRACE] * 12))
        counts = [int(clients[user].get("/contacts/count")[1]) for user in (ADA, GRACE)]
        status, _, _ = clients[ADA].get("/callback?code=1000.code&state=forged")
        stored = site.tokens.count_documents({})
        refresh_tokens = {user: site.stored(user)["refresh_token"] for user in before}

        site.tokens.update_one({"id": before[GRACE]["id"]}, {"$set": {"expiry_time": long_ago()}})
        site.eu.configure(failure="server_error", failures=1)
        paused = clients[GRACE].get("/contacts")[0]
        site.tokens.delete_one({"id": before[ADA]["id"]})
        ended = [json.loads(clients[ADA].get("/contacts")[1]) for _ in range(2)]

    expected = [[f"{first} {last}" for first, last, _, _ in CONTACTS[user]] for user in before]
    assert seen == expected * 12
    assert counts == [len(CONTACTS[ADA]), len(CONTACTS[GRACE])]
    assert status == 400
    # Zoho gives a user who has accepted before no other refresh token.
    assert stored == 2
    assert refresh_tokens == {user: one["refresh_token"] for user, one in before.items()}
    assert paused == 503
    assert ended == [{"error": "log in", "login": "/login"}, {"detail": "log in at /login"}]


@contextmanager
def running_worker(site: Site, folder: Path) -> Iterator[Celery]:
    queue, log = folder / "queue", folder / "celery.log"
    queue.mkdir()
    settings: dict[str, Any] = {
        "broker_url": "filesystem://",
        "result_backend": f"file://{queue}",
        "broker_transport_options": {
            "data_folder_in": str(queue),
            "data_folder_out": str(queue),
            "control_folder": str(queue),
        },
    }
    lines = [f"{name} = {value!r}\n" for name, value in settings.items()]
    (folder / "celery_settings.py").write_text("".join(lines))
    environment = {
        **variables(site.us, site.mongo_uri, site.url),
        "CELERY_CONFIG_MODULE": "celery_settings",
        "PYTHONPATH": str(folder),
    }
    command = [sys.executable, "-m", "celery", "--workdir", str(EXAMPLES), "-A", "celery_worker"]
    command += ["worker", "--pool=prefork", "--concurrency=2", "--without-mingle"]
    command += ["--without-gossip", "--without-heartbeat", "--loglevel=INFO"]
    sender = Celery()
    sender.conf.update(settings)
    with running(command, environment, log, folder):
        assert eventually(lambda: " ready." in log.read_text(), 90), log.read_text()
        yield sender
    sender.close()


def test_celery(logged_in: Site, tmp_path: Path) -> None:
    site = logged_in
    users = {user: site.stored(user) for user in (ADA, GRACE)}
    site.tokens.update_many({}, {"$set": {"expiry_time": long_ago()}})
    site.eu.configure(failure="server_error", failures=1)
    with running_worker(site, tmp_path) as sender:
        sent = [
            (user, sender.send_task("celery_worker.count_contacts", (stored["user_name"], id)))
            for user, stored in users.items()
            for id in [stored["id"]] * TASKS
        ]
        counts = [(user, result.get(timeout=90)) for user, result in sent]
        everybody = sender.send_task("celery_worker.count_all_contacts").get(timeout=90)
        refreshes = site.us.count("refresh"), site.eu.count("refresh")

        site.us.configure(failure="general_error", failures=1)
        site.tokens.update_many({}, {"$set": {"expiry_time": long_ago()}})
        refused = (users[ADA]["user_name"], users[ADA]["id"])
        sender.send_task("celery_worker.count_contacts", refused)
        log = tmp_path / "celery.log"
        # When Zoho is asked again, and not before.
        retry = re.compile(r"retry: Retry in (60|5\d\.\d)")
        assert eventually(lambda: retry.search(log.read_text()), 60), log.read_text()

    assert counts == [(user, len(CONTACTS[user])) for user in users for _ in range(TASKS)]
    assert everybody == 2
    # The tasks that found Zoho away were tried again, and one of them refreshed.
    assert refreshes == (1, 2)
