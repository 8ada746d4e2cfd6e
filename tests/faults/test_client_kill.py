"""Clients are killed (SIGKILL) at random points of a save.

``ZOHO_MONGO_CLIENT_KILLS`` sets how often; docs/explain/reliability.md has the figures of a long
run.
"""

import itertools
import os
import random
import time

import pytest

from tests.faults.documents import documents, login, number_of
from tests.processes import CONTEXT
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LocalMongo

KILLS = int(os.environ.get("ZOHO_MONGO_CLIENT_KILLS", "18"))
USERS = ["ada", "bob"]
LONG = 200_000


def save_for_ever(uri: str, start: int) -> None:
    """Save two users' tokens, each longer than many network packets."""
    with MongoTokenStore(uri) as store:
        for number in itertools.count(start):
            for user in USERS:
                store.save_token(make_token(**login(user, number, LONG)))


def trade_a_name(uri: str, start: int) -> None:
    """Let two tokens take one user name from each other, which takes three commands."""
    with MongoTokenStore(uri) as store:
        for number in itertools.count(start):
            for id in ("one", "two"):
                store.save_token(make_token(id=id, **login("eve", number)))


def insert(uri: str, start: int) -> None:
    """Insert a new user's token over and over, each by up to four commands."""
    with MongoTokenStore(uri) as store:
        for number in itertools.count(start):
            store.save_token(make_token(**login(f"user-{number}", number)))


@pytest.mark.parametrize("work", [save_for_ever, trade_a_name, insert])
def test_no_half_document_and_no_duplicate(server: LocalMongo, work: object) -> None:
    with MongoTokenStore(server.uri) as store:
        store.ensure_indexes()
    moments = random.Random(4)
    written: set[int] = set()
    for turn in range(KILLS // 3):
        process = CONTEXT.Process(target=work, args=(server.uri, turn * 1000))  # type: ignore[arg-type]
        process.start()
        before = len(documents(server.uri))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = documents(server.uri)
            if any(number_of(one) >= turn * 1000 for one in found) or len(found) > before:
                break
        time.sleep(moments.uniform(0, 0.1))
        assert process.exitcode is None, "it ended before it was killed"
        process.kill()
        process.join()
        process.close()
        found = documents(server.uri)
        written.update(number_of(document) for document in found)
        names = [document["user_name"] for document in found if "user_name" in document]
        assert len(names) == len(set(names))
        assert len(found) == len({document["id"] for document in found})

    assert len(written) >= KILLS // 3
    with MongoTokenStore(server.uri) as store:
        for user in USERS:
            store.save_token(make_token(**login(user, 999_999)))
            found_token = store.find_token(make_token(user_name=user))
            assert found_token is not None
            assert found_token.get_access_token() == f"access-{user}-999999"
    names = [str(document.get("user_name")) for document in documents(server.uri)]
    assert len(names) == len(set(names))
    assert set(USERS) <= set(names)
