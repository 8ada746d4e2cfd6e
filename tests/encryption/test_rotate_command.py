"""``rotate-keys --data-key`` as an operator runs it, with its real waiting for other processes."""

import base64
import inspect
import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import count, takewhile
from pathlib import Path

import pytest
from bson import ObjectId

from tests.commands.running import COMMAND, Running, running
from tests.conftest import StoreMaker
from tests.encryption.test_rotation import keys_used, vault_of
from tests.encryption.users import assert_found, fields_of, save_and_find, save_users
from tests.engines import Engine
from tests.processes import CONTEXT
from tests.refresh.callers import wait_until
from tests.tokens import CLIENT, full
from zoho_mongo_store import FieldEncryption, MongoTokenStore
from zoho_mongo_store.commands.keys import rotate_keys
from zoho_mongo_store.encryption.encryptor import UNDER_WAY_SECONDS

pytestmark = pytest.mark.timeout(300)

USERS = 24
COPIES = 3000
INTERRUPTED = (130, "zoho-mongo-store rotate-keys: interrupted\n")

Written = dict[str, tuple[str, str]]


@pytest.fixture
def variables(
    engine: Engine, database: str, encryption: FieldEncryption, master_key: bytes, tmp_path: Path
) -> dict[str, str]:
    """What tells the command where the tokens are, and with which keys."""
    path = tmp_path / "kms.json"
    path.write_text(json.dumps({"local": {"key": base64.b64encode(master_key).decode()}}))
    path.chmod(0o600)
    return {
        "ZOHO_MONGO_URI": engine.uri,
        "ZOHO_MONGO_DATABASE": database,
        "ZOHO_MONGO_KMS_PROVIDERS": str(path),
        "ZOHO_MONGO_KEY_VAULT": encryption.key_vault,
    }


@contextmanager
def rotating(folder: Path, variables: dict[str, str], *options: str) -> Iterator[Running]:
    command = (str(COMMAND), "rotate-keys", "--data-key", *options)
    with running(*command, folder=folder, **variables) as process:
        yield process


def work(uri: str, database: str, encryption: FieldEncryption, stop: Path) -> Written:
    """Find and save until the file ``stop`` is there."""
    turns = takewhile(lambda _: not stop.exists(), count())
    return save_and_find(uri, database, encryption, 0, USERS, turns, pause=0.2)


@contextmanager
def another_at_work(
    uri: str, database: str, encryption: FieldEncryption, folder: Path
) -> "Iterator[Future[Written]]":
    """Another process that finds and saves while the block lasts, and what it wrote."""
    stop = folder / "stop"
    with ProcessPoolExecutor(1, CONTEXT) as pool:
        written = pool.submit(work, uri, database, encryption, stop)
        try:
            yield written
        finally:
            stop.touch()


def check_all_under_the_new_key(store: MongoTokenStore) -> None:
    old, new = (bytes(key["_id"]) for key in vault_of(store))
    assert keys_used(store) == {new} != {old}


def test_while_another_process_finds_and_saves(
    make_store: StoreMaker,
    engine: Engine,
    database: str,
    encryption: FieldEncryption,
    variables: dict[str, str],
    tmp_path: Path,
) -> None:
    ids = save_users(make_store(timeout=30), USERS)
    tokens = engine.client[database].oauthtoken

    with another_at_work(engine.uri, database, encryption, tmp_path) as outcome:

        def wait_for_new_users(number: int) -> None:
            enough = tokens.count_documents({}) + number
            wait_until(lambda: outcome.done() or tokens.count_documents({}) >= enough, 60)

        wait_for_new_users(2)
        with rotating(tmp_path, variables) as command:
            finished = command.finish()
        wait_for_new_users(5)
    written = outcome.result()

    assert (finished.status, finished.errors) == (0, "")
    wrapped, encrypted = finished.output.splitlines()
    assert wrapped == "1 data key wrapped with the master key of local"
    assert encrypted.endswith(" tokens encrypted with the new data key")
    store = make_store(timeout=30)
    check_all_under_the_new_key(store)
    stored = {document["user_name"]: document["id"] for document in tokens.find()}
    known = {f"user{n}": id for n, id in enumerate(ids)}
    assert stored == known | {name: id for name, (id, _) in written.items()}
    assert len(stored) == tokens.count_documents({})
    for name in stored:
        fields = fields_of(int(name.removeprefix("user")))
        if name in written:
            fields["access_token"] = written[name][1]
        for field in ("refresh_token", "grant_token"):
            assert assert_found(store, {field: fields[field], **CLIENT}, fields) == stored[name]
        found = assert_found(store, {"access_token": fields["access_token"]}, fields)
        assert found == stored[name]


def copy(store: MongoTokenStore, id: str, times: int) -> None:
    """Store a document so many times more, under other ids."""
    document = store.collection.find_one({"id": id}, {"user_name": 0})
    assert document is not None
    store.collection.insert_many(
        {**document, "_id": ObjectId(), "id": f"copy{n}"} for n in range(times)
    )


def check_all_readable(*stores: MongoTokenStore) -> None:
    for store in stores:
        for n in range(USERS):
            fields = fields_of(n)
            assert_found(store, {"refresh_token": fields["refresh_token"], **CLIENT}, fields)
            assert_found(store, {"access_token": fields["access_token"]}, fields)
        tokens = store.get_tokens()
        assert len({token.get_id() for token in tokens}) == USERS + 1 + COPIES == len(tokens)
        assert sum(token.get_access_token() == "1000.access" for token in tokens) == COPIES + 1


def test_interrupted_and_run_again(
    make_store: StoreMaker, variables: dict[str, str], tmp_path: Path
) -> None:
    """While it waits for the first time, and among the documents: there is no third data key."""
    store = make_store(timeout=30)
    token = full()
    save_users(store, USERS)
    store.save_token(token)
    copy(store, str(token.get_id()), COPIES)

    def interrupt_when(reached: Callable[[], bool], data_keys: int) -> None:
        with rotating(tmp_path, variables, "--store-timeout", "0") as command:
            wait_until(reached, 90)
            command.send(signal.SIGINT)
            finished = command.finish()
        assert (finished.status, finished.errors) == INTERRUPTED
        assert len(keys_used(store)) == data_keys
        check_all_readable(store, make_store(timeout=30))

    interrupt_when(lambda: len(vault_of(store)) == 2, data_keys=1)
    interrupt_when(lambda: len(keys_used(store)) == 2, data_keys=2)

    with rotating(tmp_path, variables, "--store-timeout", "0", "--json") as command:
        finished = command.finish()
    assert (finished.status, finished.errors) == (0, "")
    counts = json.loads(finished.output)
    assert 0 < counts["changed"] < USERS + 1 + COPIES
    assert counts["unreadable"] == []
    check_all_under_the_new_key(store)
    check_all_readable(store, make_store(timeout=30))


def test_the_time_out_that_is_counted_on() -> None:
    option = inspect.signature(rotate_keys).parameters["store_timeout"]
    assert option.default == UNDER_WAY_SECONDS
