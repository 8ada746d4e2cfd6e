"""The portal as it runs behind gunicorn, with its Zoho and its MongoDB."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection

from tests.faults.gunicorn_server import options_of_this_gunicorn
from tests.processes import end
from tests.waiting import eventually
from zoho_mongo_store.testing import LoopbackZoho

EXAMPLES = Path(__file__).parents[3] / "examples"
PORTAL = EXAMPLES / "portal" / "gunicorn.conf.py"
ADA = "ada@example.com"  # in the first data centre
GRACE = "grace@example.com"  # in the second
GRACE_ORG = "20002"
CONTACTS = {
    ADA: [
        ("Katherine", "Johnson", "katherine.johnson@langley.example", "+1 757 555 0146"),
        ("Dorothy", "Vaughan", "dorothy.vaughan@langley.example", "+1 757 555 0177"),
        ("Mary", "Jackson", "mary.jackson@langley.example", "+1 757 555 0121"),
        ("Margaret", "Hamilton", "margaret@draper.example", "+1 617 555 0109"),
        ("Annie", "Easley", "annie.easley@lewis.example", ""),
    ],
    GRACE: [("Jean", "Bartik", "jean.bartik@eniac.example", "+44 20 7946 0958")],
}


@dataclass(frozen=True)
class Site:
    """A running portal."""

    url: str
    us: LoopbackZoho
    eu: LoopbackZoho
    mongo_uri: str
    tokens: "Collection[dict[str, Any]]"
    log: Path

    def get(self, path: str, cookies: str = "") -> tuple[int, str]:
        """Status and body of a page, without a browser."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=60)
        try:
            connection.request("GET", path, headers={"Cookie": cookies} if cookies else {})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def fresh(self) -> None:
        """Forget all users' tokens, and what Zoho was asked."""
        self.tokens.database.client.drop_database(self.tokens.database.name)
        for zoho in (self.us, self.eu):
            zoho.clear()

    def stored(self, user: str) -> dict[str, Any]:
        """The document of a user's token."""
        [document] = self.tokens.find({"user_name": {"$regex": f"^{user}:"}})
        return document


@contextmanager
def running_zoho(redirect_url: str) -> Iterator[tuple[LoopbackZoho, LoopbackZoho]]:
    """A Zoho with two data centres, which knows the portal, and a user with contacts in each."""
    with LoopbackZoho(data_centers=("us", "eu")) as us:
        eu = us.data_center("eu")
        us.register_client([redirect_url], name="Harbour")
        eu.add_user(GRACE, GRACE_ORG)
        for zoho, user, org in ((us, ADA, "10001"), (eu, GRACE, GRACE_ORG)):
            for first, last, email, phone in CONTACTS[user]:
                values = {"First_Name": first, "Last_Name": last, "Email": email, "Phone": phone}
                given = {name: value for name, value in values.items() if value}
                zoho.add_record("Contacts", given, user, org)
        yield us, eu


def variables(zoho: LoopbackZoho, uri: str, url: str) -> dict[str, str]:
    """The environment of an example that runs at this address."""
    return {
        **os.environ,
        "ZOHO_URL": zoho.url,
        "ZOHO_CLIENT_ID": zoho.client_id,
        "ZOHO_CLIENT_SECRET": zoho.client_secret,
        "ZOHO_REDIRECT_URL": f"{url}/callback",
        "ZOHO_MONGO_URI": uri,
        "FLASK_SECRET_KEY": "of the tests",
        "SESSION_SECRET_KEY": "of the tests",
    }


@contextmanager
def running_portal(
    client: "MongoClient[dict[str, Any]]", uri: str, database: str, folder: Path
) -> Iterator[Site]:
    """Four gunicorn workers of the portal, on tokens in a database of their own."""
    url = free_address()
    log = folder / "portal.log"
    with running_zoho(f"{url}/callback") as (us, eu):
        own_uri = uri.replace("/?", f"/{database}?")
        command = [sys.executable, "-m", "gunicorn", "-c", str(PORTAL)]
        command += ["--bind", url.removeprefix("http://"), *options_of_this_gunicorn()]
        with running(command, variables(us, own_uri, url), log, folder):
            wait_for_answer(url, log)
            assert eventually(lambda: log.read_text().count("Booting worker") == 4, 90)
            yield Site(url, us, eu, own_uri, client[database].oauthtoken, log)


@contextmanager
def running(
    command: list[str], environment: dict[str, str], log: Path, folder: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """A program, which keeps temporary files in the folder and writes to the log."""
    environment = {**environment, "TMPDIR": str(folder)}
    with log.open("w") as file:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        end(process, 20)


def free_address() -> str:
    """An address on this machine that nothing listens at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def wait_for_answer(url: str, log: Path) -> None:
    """Wait until something answers at the address."""
    deadline = time.monotonic() + 90
    while True:
        try:
            with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), 1):
                pass
            connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
            return
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
