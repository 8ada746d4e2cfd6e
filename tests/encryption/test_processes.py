"""Processes of both kinds during a move, and processes that are forked."""

import multiprocessing
import warnings
from multiprocessing.connection import Connection
from typing import Any

import pytest

from tests.conftest import StoreMaker
from tests.encryption.keys import settings
from tests.engines import Engine
from tests.processes import in_processes
from tests.test_races import NEW_TOKENS, save_each
from tests.tokens import contents, full, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.encryption import encryptor
from zoho_mongo_store.encryption.settings import PlainValues

MOVE: tuple[PlainValues, PlainValues] = ("read", "write")


def test_one_document_whoever_wins_during_a_move(
    options: dict[str, Any], database: str, master_key: bytes
) -> None:
    """Half of the processes write encrypted, the others plain: whose form it has is open."""
    both = [
        {**options, "encryption": settings(database, master_key, plain=plain)} for plain in MOVE
    ]
    fields = NEW_TOKENS["refresh token"]

    ids = in_processes(save_each, [(both[n % 2], [fields]) for n in range(8)])

    ((id,),) = set(map(tuple, ids))
    with MongoTokenStore(**both[0]) as store:
        (found,) = (contents(token) for token in store.get_tokens())
    assert found == fields | {"id": id}


def use(store: MongoTokenStore, id: str, end: Connection) -> None:
    """In the child: nothing of what the parent's threads may be using is used, or taken apart."""
    inherited: Any = store._tokens._encryptor
    assert inherited._codec is None
    assert inherited._cipher is None
    assert encryptor._left_to_the_parent
    store.save_token(make_token(id=id, access_token="1000.childs"))
    end.send(contents(store.find_token_by_id(id)))
    store.close()


@pytest.mark.parametrize("by_uri", [True, False])
def test_a_forked_child(make_store: StoreMaker, engine: Engine, by_uri: bool) -> None:
    """The parent goes on with its own keys in memory, the child begins anew."""
    store = make_store(**({"uri": engine.uri, "client": None} if by_uri else {}))
    token = full()
    store.save_token(token)
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=use, args=(store, str(token.get_id()), there))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # A borrowed client, and threads, warn about a fork.
        child.start()
    there.close()
    try:
        assert here.poll(30)
        assert here.recv()["access_token"] == "1000.childs"
        child.join(30)
        assert child.exitcode == 0
    finally:
        child.kill()
        child.join()
        child.close()
        here.close()
    found = store.find_token_by_id(str(token.get_id()))
    assert contents(found)["access_token"] == "1000.childs"
    store.save_token(full())
