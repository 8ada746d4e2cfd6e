"""The examples, as they stand, against a Zoho and a MongoDB on this machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from pymongo import MongoClient

from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

EXAMPLES = Path(__file__).parents[2] / "examples"
# The example's name, and the database and collection that it keeps its tokens in.
PROGRAMS = {
    "quickstart.py": ("zohooauth", "oauthtoken"),
    "existing_client.py": ("our_application", "zoho_tokens"),
}
USERS = {f"user{number}@example.com": str(20000 + number) for number in range(6)}
SECRETS = ("access_token", "refresh_token", "grant_token", "client_secret")


@pytest.fixture
def client(server: LocalMongo) -> Iterator["MongoClient[dict[str, Any]]"]:
    with MongoClient[dict[str, Any]](server.uri) as client:
        yield client


@pytest.fixture
def variables(server: LocalMongo, zoho: LoopbackZoho) -> dict[str, str]:
    return {
        **os.environ,
        "ZOHO_URL": zoho.url,
        "ZOHO_CLIENT_ID": zoho.client_id,
        "ZOHO_CLIENT_SECRET": zoho.client_secret,
        "ZOHO_GRANT_TOKEN": zoho.grant(),
        "ZOHO_MONGO_URI": server.uri,
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_logs_in_once(
    program: str,
    variables: dict[str, str],
    client: "MongoClient[dict[str, Any]]",
    zoho: LoopbackZoho,
    tmp_path: Path,
) -> None:
    for _ in range(2):
        finished = subprocess.run(
            [sys.executable, EXAMPLES / program],
            env=variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (finished.returncode, finished.stdout.strip(), finished.stderr.strip()) == (
            0,
            "Organization 10001",
            "",
        )

    assert (zoho.count("grant"), zoho.count("refresh")) == (1, 0)
    database, collection = PROGRAMS[program]
    [document] = client[database][collection].find()
    assert document["user_name"] == "ada@example.com:10001"


@pytest.fixture
def web_users(
    variables: dict[str, str], client: "MongoClient[dict[str, Any]]", tmp_path: Path
) -> Iterator[str]:
    """The address of the running example; at the end, no secret is in what it wrote."""
    process = subprocess.Popen(
        [sys.executable, EXAMPLES / "web_users.py"],
        env=variables,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        documents = list(client.zohooauth.oauthtoken.find())
        secrets = [document[field] for document in documents for field in SECRETS]
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert not [secret for secret in secrets if secret in output]


def test_serves_each_user_as_that_user(web_users: str, zoho: LoopbackZoho) -> None:
    with ThreadPoolExecutor(8) as threads:
        codes = [zoho.grant(user, org) for user, org in USERS.items()]
        names = list(threads.map(lambda code: get(f"{web_users}/login?code={code}"), codes))
        organizations = list(threads.map(lambda name: organization(web_users, name), names * 5))

    assert names == [f"{user}:{org}" for user, org in USERS.items()]
    assert organizations == [f"Organization {org}" for org in USERS.values()] * 5
    assert (zoho.count("grant"), zoho.count("refresh")) == (len(USERS), 0)


def test_serves_no_stranger(web_users: str, zoho: LoopbackZoho) -> None:
    get(f"{web_users}/login?code={zoho.grant()}")

    with pytest.raises(HTTPError, match="502") as refused:
        organization(web_users, "eve@example.com:10001")
    refused.value.close()
    assert zoho.count("org") == 1  # The login's.


def organization(address: str, user: str) -> str:
    return get(f"{address}/organization?user={quote(user)}")


def get(url: str) -> str:
    with urlopen(url, timeout=60) as response:  # noqa: S310 - the example's own address
        return str(response.read().decode())
