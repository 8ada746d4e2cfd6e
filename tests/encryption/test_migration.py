"""Encrypting and decrypting a collection that is in use, stopped and run again at any point."""

from typing import Any

import pytest

from tests.conftest import StoreMaker
from tests.encryption.keys import decrypted, forms, new_key, settings
from tests.encryption.users import check_all_found, fields_of, save_and_find, save_users
from tests.engines import Engine
from tests.failures import fails
from tests.processes import in_processes
from tests.tokens import contents, full, make_token
from zoho_mongo_store import FieldEncryption
from zoho_mongo_store.encryption import maintenance, migration
from zoho_mongo_store.encryption.maintenance import decrypt_collection, encrypt_collection
from zoho_mongo_store.encryption.migration import MigrationProgress, MigrationReport
from zoho_mongo_store.encryption.settings import PlainValues

USERS = 24
BATCH = 5


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "_BATCH", BATCH)


class StoppedError(Exception):
    """The command was stopped."""


def stopping_after(documents: int) -> Any:
    """A report that stops the command after so many documents."""

    def report(progress: MigrationProgress) -> None:
        if progress.done >= documents:
            raise StoppedError

    return report


def all_forms(store: Any) -> set[str]:
    return set().union(*(forms(document) for document in store.collection.find()))


def without_secrets(store: Any) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in document.items() if name not in fields_of(0)}
        for document in store.collection.find().sort("_id", 1)
    ]


def test_there_and_back(
    make_store: StoreMaker, database: str, master_key: bytes, encryption: FieldEncryption
) -> None:
    plain = make_store(encryption=None)
    save_users(plain, USERS)
    before = list(plain.collection.find().sort("_id", 1))
    steps: list[MigrationProgress] = []

    moved = encrypt_collection(plain.collection, encryption, on_progress=steps.append)

    assert moved == MigrationReport(USERS, 2, [])
    batches = [*range(BATCH, USERS, BATCH), USERS]
    assert steps == [MigrationProgress("documents", n, USERS) for n in batches] * 2
    assert all_forms(plain) == {"encrypted"}
    check_all_found(make_store(), USERS)
    client = plain.collection.database.client
    stored = plain.collection.find().sort("_id", 1)
    assert [decrypted(client, encryption, document) for document in stored] == before
    assert encrypt_collection(plain.collection, encryption) == MigrationReport(0, 1, [])

    reading = settings(database, master_key, plain="write")
    assert decrypt_collection(plain.collection, reading) == MigrationReport(USERS, 2, [])
    assert list(plain.collection.find().sort("_id", 1)) == before
    check_all_found(plain, USERS)


@pytest.mark.parametrize("plain", ["read", "write"])
def test_stopped_half_way_both_are_found(
    make_store: StoreMaker, database: str, master_key: bytes, plain: PlainValues
) -> None:
    both = settings(database, master_key, plain=plain)
    store = make_store(encryption=None)
    save_users(store, USERS)
    before = without_secrets(store)
    for documents in (1, 7, 7, 20):
        with fails("encrypt failed: there was an unexpected Stopped"):
            encrypt_collection(store.collection, both, on_progress=stopping_after(documents))
        assert all_forms(store) == {"encrypted", "str"}
        check_all_found(make_store(encryption=both), USERS)

    encrypt_collection(store.collection, both)
    assert all_forms(store) == {"encrypted"}

    for documents in (1, 7, 20):
        with fails("decrypt failed: there was an unexpected Stopped"):
            decrypt_collection(store.collection, both, on_progress=stopping_after(documents))
        check_all_found(make_store(encryption=both), USERS)
    decrypt_collection(store.collection, both)
    assert all_forms(store) == {"str"}
    assert without_secrets(store) == before


@pytest.mark.parametrize("plain", ["read", "write"])
def test_a_save_joins_the_document_in_either_form(
    make_store: StoreMaker, database: str, master_key: bytes, plain: PlainValues
) -> None:
    both = settings(database, master_key, plain=plain)
    ids = save_users(make_store(encryption=None), 2)
    store = make_store(encryption=both)
    with fails("Stopped"):
        encrypt_collection(store.collection, both, on_progress=stopping_after(1))

    assert save_users(store, 2) == ids
    assert store.collection.count_documents({}) == 2
    written = {"read": "encrypted", "write": "str"}[plain]
    assert all_forms(store) == {written}


def test_what_a_process_writes_meanwhile_stays(
    make_store: StoreMaker, database: str, master_key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save gets in between the command's read and its write."""
    both = settings(database, master_key, plain="read")
    store = make_store(encryption=None)
    id = save_users(store, 3)[2]
    other = make_store(encryption=both)
    saves = [make_token(id=id, access_token="late")]

    def encrypting(*arguments: Any) -> Any:
        convert = migration.encrypting(*arguments)

        def save_another(document: dict[str, Any]) -> dict[str, Any]:
            # The command has read all documents by now, and changed none.
            if saves:
                other.save_token(saves.pop())
            return convert(document)

        return save_another

    monkeypatch.setattr(maintenance, "encrypting", encrypting)

    moved = encrypt_collection(store.collection, both)

    assert moved == MigrationReport(3, 3, [])

    assert all_forms(store) == {"encrypted"}
    found = contents(other.find_token_by_id(str(id)))
    assert found == fields_of(2) | {"id": id, "access_token": "late"}


def convert(uri: str, database: str, encryption: FieldEncryption, back: bool) -> MigrationReport:
    from pymongo import MongoClient

    command = decrypt_collection if back else encrypt_collection
    with MongoClient[dict[str, Any]](uri) as client:
        return command(client[database].oauthtoken, encryption, timeout=30)


@pytest.mark.parametrize("back", [False, True])
def test_while_processes_find_and_save(
    engine: Engine, database: str, master_key: bytes, make_store: StoreMaker, back: bool
) -> None:
    """No duplicate, none lost: two commands at once, and processes that never stop."""
    both = settings(database, master_key, plain="write" if back else "read")
    ids = save_users(make_store(encryption=settings(database, master_key) if back else None), USERS)

    work: list[tuple[Any, ...]] = [(convert, engine.uri, database, both, back)] * 2
    work += [(save_and_find, engine.uri, database, both, n, USERS, range(16)) for n in range(4)]
    outcomes = in_processes(run, work)

    store = make_store(encryption=both)
    assert all_forms(store) == ({"str"} if back else {"encrypted"})
    assert sum(moved.changed for moved in outcomes[:2]) > 0
    stored = {document["user_name"]: document for document in store.collection.find()}
    known = {f"user{n}": id for n, id in enumerate(ids)}
    for written in outcomes[2:]:
        known |= {name: id for name, (id, _) in written.items()}
    assert {name: document["id"] for name, document in stored.items()} == known
    assert store.collection.count_documents({}) == len(known)
    for written in outcomes[2:]:
        for name, (id, access_token) in written.items():
            found = contents(store.find_token_by_id(id))
            assert (found["user_name"], found["access_token"]) == (name, access_token)


def run(function: Any, *arguments: Any) -> Any:
    return function(*arguments)


def test_what_cannot_be_read_is_left_and_named(
    make_store: StoreMaker, encryption: FieldEncryption
) -> None:
    store = make_store()
    save_users(store, 3)
    damaged = store.collection.find_one({"user_name": "user1"})
    assert damaged is not None
    value = damaged["access_token"]
    broken = type(value)(value[:-1] + bytes([value[-1] ^ 1]), value.subtype)
    store.collection.update_one({"_id": damaged["_id"]}, {"$set": {"access_token": broken}})

    moved = decrypt_collection(store.collection, encryption)

    assert moved.changed == 2
    (reason,) = moved.unreadable
    assert str(damaged["_id"]) in reason
    assert all_forms(store) == {"str", "encrypted"}


def test_the_wrong_key_changes_nothing(make_store: StoreMaker, database: str) -> None:
    store = make_store()
    save_users(store, 3)
    before = list(store.collection.find())
    store.collection.insert_one({"id": "plain", "access_token": "plain"})

    wrong = settings(database, new_key())
    with fails("decrypt failed: .* cannot be unwrapped"):
        decrypt_collection(store.collection, wrong)
    with fails("encrypt failed: .* cannot be unwrapped"):
        encrypt_collection(store.collection, wrong)

    store.collection.delete_one({"id": "plain"})
    assert list(store.collection.find()) == before


def test_a_document_with_few_or_odd_fields(make_store: StoreMaker, database: str) -> None:
    store = make_store(encryption=None)
    store.save_token(full(refresh_token=None, grant_token=None, client_secret=None))
    store.collection.insert_one({"id": "odd", "access_token": 7})

    moved = encrypt_collection(store.collection, settings(database, new_key()))

    assert moved.changed == 1
    assert all_forms(store) == {"encrypted", "int"}
