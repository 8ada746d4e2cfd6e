"""Many processes at once, with encryption, and processes that are forked."""

import multiprocessing
import warnings
from multiprocessing.connection import Connection
from typing import Any

import pytest

from tests.conftest import StoreMaker
from tests.encryption.keys import settings
from tests.engines import Engine
from tests.processes import in_processes
from tests.test_races import NEW_TOKENS
from tests.tokens import contents, full, make_token
from zoho_mongo_store import FieldEncryption, MongoTokenStore
from zoho_mongo_store.encryption import encryptor
from zoho_mongo_store.encryption.settings import PlainValues


def save(
    uri: str, database: str, encryption: FieldEncryption, fields: dict[str, Any]
) -> str | None:
    with MongoTokenStore(uri, database=database, encryption=encryption, timeout=30) as store:
        token = make_token(**fields)
        store.save_token(token)
        return token.get_id()


@pytest.mark.parametrize(
    ("key", "plain"),
    [*((key, ("refuse",)) for key in NEW_TOKENS), ("refresh token", ("read", "write"))],
)
def test_one_document_whoever_wins(
    engine: Engine, database: str, master_key: bytes, key: str, plain: tuple[PlainValues, ...]
) -> None:
    """Also of processes that write encrypted and ones that write plain, during a move."""
    both = [settings(database, master_key, plain=value) for value in plain]
    fields = NEW_TOKENS[key]

    writers = [(engine.uri, database, both[n % len(both)], fields) for n in range(8)]
    ids = in_processes(save, writers)

    assert len(set(ids)) == 1
    assert engine.client[database].oauthtoken.count_documents({}) == 1
    with MongoTokenStore(client=engine.client, database=database, encryption=both[0]) as store:
        found = contents(store.find_token_by_id(str(ids[0])))
    assert fields.items() <= found.items()


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
