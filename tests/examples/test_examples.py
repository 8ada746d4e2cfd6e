"""The examples, as they stand, against a Zoho and a MongoDB on this machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

EXAMPLES = Path(__file__).parents[2] / "examples"
# The example's name, and the database and collection that it keeps its tokens in.
PROGRAMS = {
    "quickstart.py": ("zohooauth", "oauthtoken"),
    "existing_client.py": ("our_application", "zoho_tokens"),
}


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
