"""New master keys and new data keys, while processes go on."""

import time
from functools import partial
from typing import Any

import pytest
from pymongo import MongoClient

from tests.conftest import StoreMaker
from tests.encryption.keys import KEY_VAULT, new_key, settings
from tests.encryption.users import check_all_found, save_and_find, save_users
from tests.engines import Engine
from tests.failures import fails
from tests.processes import in_processes
from tests.tokens import full
from zoho_mongo_store import FieldEncryption, MongoTokenStore
from zoho_mongo_store.encryption import encryptor, maintenance, migration
from zoho_mongo_store.encryption.cipher import Cipher
from zoho_mongo_store.encryption.key_vault import KeyVault
from zoho_mongo_store.encryption.maintenance import rotate_master_key
from zoho_mongo_store.encryption.migration import MigrationProgress, MigrationReport
from zoho_mongo_store.model.document import SECRET_FIELDS

USERS = 24

# No operation of these tests takes longer than the rotation waits for the list of data keys.
rotate_data_key = partial(maintenance.rotate_data_key, store_timeout=0)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else uses the collection, so that nobody has to be waited for."""
    wait_for(0, 0, monkeypatch)


def wait_for(reread: float, waiting: float, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(encryptor, "REREAD_SECONDS", reread)
    patch.setattr(maintenance, "LATEST_SECONDS", waiting)


def vault_of(store: MongoTokenStore) -> list[dict[str, Any]]:
    """The data keys, oldest first."""
    database = store.collection.database
    return list(database[KEY_VAULT].find().sort("creationDate", 1))


def names(store: MongoTokenStore) -> list[list[str]]:
    """The names of the data keys, oldest first, with what they say of their own id left out."""
    return [
        [name.replace(key["_id"].hex(), "id") for name in key["keyAltNames"]]
        for key in vault_of(store)
    ]


def keys_used(store: MongoTokenStore) -> set[bytes]:
    """The ids of the data keys that the stored secrets are encrypted with."""
    return {
        bytes(document[field][1:17])
        for document in store.collection.find()
        for field in SECRET_FIELDS
        if field in document
    }


# The master key.


def test_a_new_master_key(make_store: StoreMaker, database: str, master_key: bytes) -> None:
    old, new = {"local": {"key": master_key}}, {"local:2027": {"key": new_key()}}
    store = make_store()
    save_users(store, 3)
    before = list(store.collection.find())
    both = settings(database, b"", kms_providers={**new, **old})
    running = make_store(encryption=settings(database, b"", kms_providers={**old, **new}))
    check_all_found(running, 3)

    assert rotate_master_key(store.collection, both) == 1

    (key,) = vault_of(store)
    assert key["masterKey"] == {"provider": "local:2027"}
    assert list(store.collection.find()) == before
    check_all_found(running, 3)
    check_all_found(make_store(encryption=both), 3)
    check_all_found(make_store(encryption=settings(database, b"", kms_providers=new)), 3)
    with fails("cannot be unwrapped"):
        make_store().find_token_by_id(before[0]["id"])
    assert rotate_master_key(store.collection, both) == 1


def test_a_master_key_needs_the_old_one(make_store: StoreMaker, database: str) -> None:
    store = make_store()
    save_users(store, 1)
    before = vault_of(store)

    new = {"local:2027": {"key": new_key()}}
    with fails("rotate-keys failed: the data keys cannot be wrapped with 'local:2027'"):
        rotate_master_key(store.collection, settings(database, b"", kms_providers=new))

    assert vault_of(store) == before


def test_only_data_keys_of_that_name_are_wrapped(
    make_store: StoreMaker, database: str, master_key: bytes, encryption: FieldEncryption
) -> None:
    store = make_store()
    save_users(store, 1)
    other = settings(database, master_key, key_name="other")
    make_store(encryption=other, collection="other").save_token(full())
    new = {"local:2027": {"key": new_key()}, **encryption.kms_providers}

    assert rotate_master_key(store.collection, settings(database, b"", kms_providers=new)) == 1

    providers = {key["keyAltNames"][0]: key["masterKey"]["provider"] for key in vault_of(store)}
    assert providers == {"zoho-mongo-store": "local:2027", "other": "local"}


# The data key.


def test_a_new_data_key(make_store: StoreMaker, encryption: FieldEncryption) -> None:
    store = make_store()
    ids = save_users(store, USERS)
    updated = sorted(document["updated_at"] for document in store.collection.find())
    stages: list[tuple[str, list[list[str]]]] = []

    def watch(progress: MigrationProgress) -> None:
        stage = progress.step, names(store)
        if stage not in stages:
            stages.append(stage)

    moved = rotate_data_key(store.collection, encryption, on_progress=watch)

    assert moved == MigrationReport(USERS, 2, [])
    settled = f"zoho-mongo-store/all/{store.collection.full_name}"
    assert names(store) == [
        ["zoho-mongo-store/retired/id"],
        ["zoho-mongo-store", settled],
    ]
    old, new = (bytes(key["_id"]) for key in vault_of(store))
    assert keys_used(store) == {new}
    assert sorted(document["updated_at"] for document in store.collection.find()) == updated
    check_all_found(make_store(), USERS)
    published = [["zoho-mongo-store"], ["zoho-mongo-store/next"]]
    promoted = [["zoho-mongo-store/retired/id"], ["zoho-mongo-store"]]
    assert stages == [("waiting", published), ("waiting", promoted), ("documents", promoted)]

    assert rotate_data_key(store.collection, encryption).changed == USERS
    assert [bytes(key["_id"]) for key in vault_of(store)][:2] == [old, new]
    assert len(names(store)) == 3
    assert sum(settled in given for given in names(store)) == 1
    assert settled in names(store)[2]
    assert save_users(store, USERS) == ids
    check_all_found(store, USERS)


class StoppedError(Exception):
    """The command was stopped."""


# Everything that a rotation does to the vault or to documents.
STEPS = [
    (Cipher, "create_key"),
    (KeyVault, "promote"),
    (KeyVault, "_rename"),
    (KeyVault, "settle"),
    (maintenance, "migrate"),
]


@pytest.mark.parametrize(("owner", "name"), STEPS)
@pytest.mark.parametrize(("afterwards", "times"), [(False, 1), (False, 2), (True, 1)])
def test_stopped_at_any_step_and_run_again(
    make_store: StoreMaker,
    encryption: FieldEncryption,
    owner: Any,
    name: str,
    afterwards: bool,
    times: int,
) -> None:
    """StoppedError before or after each step, once or over and over; all is found at any point."""
    store = make_store()
    ids = save_users(store, 6)
    step = getattr(owner, name)

    def stopping(*arguments: Any) -> None:
        if afterwards:
            step(*arguments)
        raise StoppedError

    for _ in range(times):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, name, stopping)
            with fails("rotate-keys failed: there was an unexpected Stopped"):
                rotate_data_key(store.collection, encryption)
        for reader in (store, make_store()):
            check_all_found(reader, 6)
            assert save_users(reader, 6) == ids

    rotate_data_key(store.collection, encryption)

    assert len(vault_of(store)) == 2 + (name == "settle" and afterwards)
    assert keys_used(store) == {bytes(vault_of(store)[-1]["_id"])}
    check_all_found(make_store(), 6)


def test_stopped_among_the_documents(
    make_store: StoreMaker, encryption: FieldEncryption, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "_BATCH", USERS // 4)
    store = make_store()
    ids = save_users(store, USERS)

    def stop(progress: MigrationProgress) -> None:
        if progress.step == "documents" and progress.done == USERS // 2:
            raise StoppedError

    with fails("rotate-keys failed: there was an unexpected Stopped"):
        rotate_data_key(store.collection, encryption, on_progress=stop)
    assert len(keys_used(store)) == 2
    check_all_found(store, USERS)
    check_all_found(make_store(), USERS)
    assert save_users(store, 1) == ids[:1]

    assert rotate_data_key(store.collection, encryption).changed > 0
    assert len(vault_of(store)) == 2
    assert len(keys_used(store)) == 1


def test_two_collections_that_share_a_key(
    make_store: StoreMaker, encryption: FieldEncryption
) -> None:
    """Rotating for one leaves the other's documents found; its own run makes no third key."""
    one, two = make_store(), make_store(collection="two")
    for store in (one, two):
        save_users(store, 4)

    rotate_data_key(one.collection, encryption)
    check_all_found(two, 4)
    assert keys_used(one) != keys_used(two)

    rotate_data_key(two.collection, encryption)
    assert keys_used(one) == keys_used(two)
    assert len(vault_of(one)) == 2
    for store in (one, two):
        check_all_found(store, 4)


def rotate(uri: str, database: str, encryption: FieldEncryption) -> MigrationReport:
    with pytest.MonkeyPatch.context() as patch, MongoClient[dict[str, Any]](uri) as client:
        wait_for(0.2, 1.5, patch)
        return rotate_data_key(client[database].oauthtoken, encryption, timeout=30)


def work(
    uri: str, database: str, encryption: FieldEncryption, worker: int
) -> dict[str, tuple[str, str]]:
    """Find and save for longer than the rotation takes."""
    with pytest.MonkeyPatch.context() as patch:
        wait_for(0.2, 1.5, patch)
        time.sleep(0.3 * worker)
        return save_and_find(uri, database, encryption, worker, USERS, range(30), pause=0.1)


def run(function: Any, *arguments: Any) -> Any:
    return function(*arguments)


def test_while_processes_find_and_save(
    engine: Engine, database: str, encryption: FieldEncryption, make_store: StoreMaker
) -> None:
    ids = save_users(make_store(), USERS)

    place = (engine.uri, database, encryption)
    outcomes = in_processes(run, [(rotate, *place), *((work, *place, n) for n in range(4))])

    store = make_store()
    assert outcomes[0].changed > 0
    known = {f"user{n}": id for n, id in enumerate(ids)}
    for written in outcomes[1:]:
        known |= {name: id for name, (id, _) in written.items()}
    stored = list(store.collection.find())
    assert {document["user_name"]: document["id"] for document in stored} == known
    assert len(stored) == len(known)
    assert keys_used(store) == {bytes(vault_of(store)[-1]["_id"])}
    assert len(vault_of(store)) == 2


def test_a_running_process_learns_of_a_new_key_in_time(
    make_store: StoreMaker, encryption: FieldEncryption, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it must not miss: it reads the list again after the time that a rotation counts on."""
    monkeypatch.setattr(encryptor, "REREAD_SECONDS", 10.0)
    store = make_store()
    save_users(store, 1)
    rotate_data_key(store.collection, encryption)
    with pytest.raises(AssertionError, match="not found by"):
        check_all_found(store, 1)

    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 10)

    check_all_found(store, 1)


def test_the_waiting_is_for_the_longest_time_out(
    make_store: StoreMaker, encryption: FieldEncryption
) -> None:
    store = make_store()
    save_users(store, 1)
    waits: list[MigrationProgress] = []

    rotate = partial(maintenance.rotate_data_key, store.collection, encryption, store_timeout=0.5)
    rotate(on_progress=lambda one: waits.append(one) if one.step == "waiting" else None)

    assert [one.total for one in waits if one.done == one.total] == [0.5, 0.5]
