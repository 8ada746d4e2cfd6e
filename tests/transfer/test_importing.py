"""Imports into a running server: what is stored afterwards, and what is said about each row."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import _csot
from pymongo.collection import Collection
from pymongo.errors import ConnectionFailure, OperationFailure

from tests.conftest import StoreMaker
from tests.encryption.keys import forms
from tests.engines import SERVERS, Engine
from tests.sent_commands import listening
from tests.tokens import contents, full, make_token
from tests.transfer.shapes import NAMES, Shape, person
from tests.transfer.sources import in_hours, with_filestore
from zoho_mongo_store import FieldEncryption, MongoTokenStore
from zoho_mongo_store.encryption.collection import EncryptedCollection
from zoho_mongo_store.encryption.encryptor import UNDER_WAY_SECONDS, Encryptor
from zoho_mongo_store.model.document import Document, expiry_date
from zoho_mongo_store.model.token import to_document
from zoho_mongo_store.transfer import importing, writing
from zoho_mongo_store.transfer.filestore import FileStoreFile
from zoho_mongo_store.transfer.importing import import_tokens
from zoho_mongo_store.transfer.report import Report
from zoho_mongo_store.transfer.rows import InvalidRow, Row
from zoho_mongo_store.transfer.validation import checked_document

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

Notes = list[tuple[int, str]]
Documents = Collection[Document] | EncryptedCollection


class Rows:
    """A source in memory; ``(id, user, refresh token, hours until the expiry)`` each."""

    unit = "row"

    def __init__(self, *rows: tuple[str | None, str | None, str, float | None]) -> None:
        self._rows = rows

    def rows(self) -> Iterator[Row | InvalidRow]:
        for line, (id, user, refresh_token, hours) in enumerate(self._rows, 1):
            fields = {"id": id, "user_name": user, "refresh_token": refresh_token}
            if hours is not None:
                fields["expiry_time"] = str(1_800_000_000_000 + int(hours * 3_600_000))
            fields |= {"client_id": "c", "client_secret": "s"}
            fields |= {"access_token": f"access of {refresh_token} for {hours}"}
            yield Row(line, checked_document(fields))


@pytest.fixture(params=["plain", "encrypted"])
def encryption(request: pytest.FixtureRequest, database: str) -> FieldEncryption | None:
    """As the command line has it; all imports end the same with it and without."""
    key = {"local": {"key": bytes(96)}}
    encrypted = FieldEncryption(key, key_vault=f"{database}.keys", plain="read")
    return encrypted if request.param == "encrypted" else None


@pytest.fixture
def store(make_store: StoreMaker, encryption: FieldEncryption | None) -> MongoTokenStore:
    store = make_store(encryption=encryption, timeout=30)
    store.ensure_indexes()
    return store


@pytest.fixture
def documents(store: MongoTokenStore, encryption: FieldEncryption | None) -> Iterator[Documents]:
    """Where the tokens go; they all have to be in the right form in the end."""
    with into(store.collection, encryption) as documents:
        yield documents
    expected = {"str"} if encryption is None else {"encrypted"}
    assert all(forms(document) <= expected for document in store.collection.find())


@pytest.fixture
def raw(store: MongoTokenStore) -> Collection[Document]:
    """What is stored, as it is stored."""
    return store.collection


@contextmanager
def into(
    collection: Collection[Document], encryption: FieldEncryption | None
) -> Iterator[Documents]:
    """The collection as the command line imports into it."""
    if encryption is None:
        yield collection
    else:
        with closing(Encryptor(encryption, 30)) as encryptor:
            yield encryptor.in_plain(collection)


@pytest.fixture
def stored(store: MongoTokenStore) -> Callable[[], dict[str, tuple[Any, ...]]]:
    """Id to user, refresh token and access token of what is stored."""

    def read() -> dict[str, tuple[Any, ...]]:
        found = [contents(token) for token in store.get_tokens()]
        return {
            one["id"]: (one.get("user_name"), one["refresh_token"], one.get("access_token"))
            for one in found
        }

    return read


def run(source: Any, documents: Documents, **options: Any) -> tuple[Report, Notes]:
    notes: Notes = []
    report = import_tokens(
        source, documents, on_note=lambda line, text: notes.append((line, text)), **options
    )
    assert report.dealt_with == report.rows
    return report, notes


def test_tokens_keep_their_ids_and_all_fields(
    tmp_path: Path, store: MongoTokenStore, documents: Documents
) -> None:
    tokens = [
        full(user_name=f"user{n}", refresh_token=f"R{n}", access_token=f"A{n}", grant_token=f"G{n}")
        for n in range(3)
    ]
    source = FileStoreFile(with_filestore(tmp_path / "tokens.csv", tokens))

    report, notes = run(source, documents)

    assert (report, notes) == (Report(rows=3, inserted=3), [])
    assert [contents(one) for one in store.get_tokens()] == [contents(one) for one in tokens]
    assert all(one["created_at"] == one["updated_at"] for one in store.collection.find())


def test_to_run_it_again_changes_nothing(documents: Documents, raw: Collection[Document]) -> None:
    source = Rows(("1", "ada", "R1", 1), ("2", None, "R2", None), (None, None, "R3", 2))
    run(source, documents)
    before = list(raw.find())

    report, notes = run(source, documents)

    assert (report, notes) == (Report(rows=3, unchanged=3), [])
    assert list(raw.find()) == before


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (3, 1, 2)])
def test_of_two_rows_for_a_user_the_one_that_expires_last_counts(
    documents: Documents, stored: Callable[[], dict[str, Any]], order: tuple[int, ...]
) -> None:
    report, notes = run(Rows(*((str(n), "ada", f"R{n}", n) for n in order)), documents)

    assert report == Report(rows=3, inserted=1, repeated=2)
    assert stored() == {"3": ("ada", "R3", "access of R3 for 3")}
    winner = order.index(3) + 1
    assert notes == [
        (line, f"skipped: row {winner} for the same user is used")
        for line in (1, 2, 3)
        if line != winner
    ]


def test_of_rows_for_a_user_that_expire_together_the_last_counts(
    documents: Documents, raw: Collection[Document], tmp_path: Path
) -> None:
    """As SDK 2 leaves them, with ids that are no numbers and no line end."""
    rows = [person(number, id=f"nodejs_u_{number}") for number in (1, 2)]
    same = {"user_name": "u.x@example.org", "expiry_time": "1893456000000", "client_id": "1000.C"}
    content = Shape(names=NAMES[:9], header={"user_name": "user_mail"}).text(
        [{**row, **same} for row in rows]
    )
    path = tmp_path / "tokens.txt"
    path.write_text(content.rstrip())

    report, notes = run(FileStoreFile(path), documents)

    assert report == Report(rows=2, inserted=1, repeated=1)
    assert [line for line, _ in notes] == [2, 3]
    assert [one["id"] for one in raw.find()] == ["nodejs_u_2"]


def test_rows_without_names_are_a_login_each(
    documents: Documents, raw: Collection[Document], tmp_path: Path
) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text(Shape().text(person(number, user_name="") for number in range(1, 5)))
    assert run(FileStoreFile(path), documents)[0] == Report(rows=4, inserted=4)
    assert sorted(one["id"] for one in raw.find()) == ["1", "2", "3", "4"]
    assert not any("user_name" in one for one in raw.find())


def test_the_same_user_in_another_batch_counts_the_same(
    documents: Documents, stored: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_BATCH", 10)
    others = [(f"o{n}", f"user{n}", f"O{n}", 1.0) for n in range(25)]
    report, _ = run(Rows(("1", "ada", "R1", 5), *others, ("2", "ada", "R2", 4)), documents)

    assert report == Report(rows=27, inserted=26, repeated=1)
    assert stored()["1"] == ("ada", "R1", "access of R1 for 5")


def test_an_unknown_expiry_loses(
    documents: Documents, stored: Callable[[], dict[str, Any]]
) -> None:
    report, _ = run(Rows(("1", "ada", "R1", 1), ("2", "ada", "R2", None)), documents)
    assert (report.repeated, list(stored())) == (1, ["1"])


def test_what_is_stored_and_expires_later_stays(
    documents: Documents, stored: Callable[[], dict[str, Any]]
) -> None:
    run(Rows(("1", "ada", "R1", 5)), documents)
    report, notes = run(Rows(("1", "ada", "old", 4)), documents)

    assert report == Report(rows=1, kept=1)
    assert notes == [(1, "not imported: the stored token of this user does not expire sooner")]
    assert stored() == {"1": ("ada", "R1", "access of R1 for 5")}


def test_what_expires_later_is_taken_under_the_stored_id(
    documents: Documents, stored: Callable[[], dict[str, Any]]
) -> None:
    run(Rows(("1", "ada", "R1", 5)), documents)
    report, notes = run(Rows(("9", "ada", "R2", 6)), documents)

    assert report == Report(rows=1, updated=1)
    assert notes == [(1, "the user keeps the stored id 1, not 9")]
    assert stored() == {"1": ("ada", "R2", "access of R2 for 6")}


def test_an_id_of_another_login_is_never_taken_over(
    documents: Documents, stored: Callable[[], dict[str, Any]]
) -> None:
    run(Rows(("1", "ada", "R1", 1), ("2", None, "R2", 1)), documents)
    source = Rows(("1", "grace", "R3", 9), ("2", None, "R4", 9), ("1", None, "R5", 9))

    report, notes = run(source, documents)

    assert report == Report(rows=3, inserted=3)
    assert [line for line, text in notes if "another login has the id" in text] == [1, 2, 3]
    found = stored()
    assert (found["1"][:2], found["2"][:2]) == (("ada", "R1"), (None, "R2"))
    assert sorted(one[1] for one in found.values()) == ["R1", "R2", "R3", "R4", "R5"]
    assert run(source, documents)[0] == Report(rows=3, unchanged=3)
    assert stored() == found


def test_a_login_that_got_its_name_later_is_known_again(
    documents: Documents, raw: Collection[Document], stored: Callable[[], dict[str, Any]]
) -> None:
    run(Rows(("1", None, "R1", 1)), documents)
    raw.update_one({"id": "1"}, {"$set": {"user_name": "ada"}})

    report, _ = run(Rows(("1", None, "R1", 1)), documents)

    assert (report, len(stored())) == (Report(rows=1, unchanged=1), 1)


def test_a_dry_run_says_the_same_and_writes_nothing(
    documents: Documents, raw: Collection[Document]
) -> None:
    run(Rows(("1", "ada", "R1", 5)), documents)
    before = list(raw.find())
    source = Rows(("1", "ada", "R2", 6), ("2", "grace", "R3", 1), ("3", "grace", "R4", 2))

    tried = run(source, documents, dry_run=True)
    assert list(raw.find()) == before

    assert run(source, documents) == tried
    assert tried[0] == Report(rows=3, updated=1, inserted=1, repeated=1)


def test_an_interrupted_import_is_finished_by_the_next(
    documents: Documents, stored: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_BATCH", 10)
    source = Rows(*((str(n), f"user{n}", f"R{n}", n) for n in range(25)))
    write_all, batches = writing.write_all, iter([True, False])

    def failing(*arguments: Any) -> set[int]:
        if not next(batches):
            raise ConnectionFailure("gone")
        return write_all(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(importing, "write_all", failing)
        with pytest.raises(ConnectionFailure):
            import_tokens(source, documents)
    assert len(stored()) == 10

    report, _ = run(source, documents)
    assert report == Report(rows=25, inserted=15, unchanged=10)
    assert len(stored()) == 25


def test_a_save_in_between_is_met(
    documents: Documents,
    stored: Callable[[], dict[str, Any]],
    store: MongoTokenStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The application saves the same user after the import looked, and before it writes."""
    write_all = writing.write_all
    saves = iter([make_token(user_name="ada", access_token="live", refresh_token="RL")])

    def racing(*arguments: Any) -> set[int]:
        for token in saves:
            token.set_expires_in(in_hours(99_999))
            store.save_token(token)
        return write_all(*arguments)

    monkeypatch.setattr(importing, "write_all", racing)
    monkeypatch.setattr(writing, "_AT_ONCE", 1)
    report, notes = run(Rows(("2", "grace", "R2", 1), ("1", "ada", "R1", 1)), documents)

    # The save brought no client.
    assert report == Report(rows=2, inserted=1, filled=1)
    assert [line for line, text in notes if "only missing fields" in text] == [2]
    assert sorted(stored().values()) == [
        ("ada", "RL", "live"),
        ("grace", "R2", "access of R2 for 1"),
    ]


def test_a_refresh_in_between_is_not_undone(
    documents: Documents,
    stored: Callable[[], dict[str, Any]],
    store: MongoTokenStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run(Rows(("1", "ada", "R1", 1)), documents)
    write_all = writing.write_all

    def racing(*arguments: Any) -> set[int]:
        later = str(1_800_000_000_000 + 50 * 3_600_000)
        store.save_token(make_token(id="1", access_token="refreshed", expires_in=later))
        return write_all(*arguments)

    monkeypatch.setattr(importing, "write_all", racing)
    run(Rows(("1", "ada", "R1", 2)), documents)
    assert stored() == {"1": ("ada", "R1", "refreshed")}


def test_imports_at_once_end_with_one_document_each(
    documents: Documents, stored: Callable[[], dict[str, Any]]
) -> None:
    rows = [(str(n), f"user{n}", f"R{n}", float(n)) for n in range(300)]
    sources = [Rows(*random.Random(seed).sample(rows, 300)) for seed in range(4)]
    reports: list[Report] = []
    threads = [
        threading.Thread(target=lambda one=one: reports.append(import_tokens(one, documents)))
        for one in sources
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 4
    assert set(stored()) == {str(n) for n in range(300)}


def test_a_refused_write_quotes_no_token(documents: Documents, engine: Any, database: str) -> None:
    engine.client[database].command(
        "collMod", "oauthtoken", validator={"$jsonSchema": {"required": ["colour"]}}
    )
    with pytest.raises(OperationFailure) as caught:
        import_tokens(Rows(("1", "ada", "R-secret", 1)), documents)
    assert "secret" not in repr(caught.value) + repr(caught.value.details)
    assert caught.value.code == 121


def test_a_hundred_rows_are_written_by_one_command(
    engine: Engine, store: MongoTokenStore, encryption: FieldEncryption | None
) -> None:
    """Which is no longer under way, encrypted with a data key, than its rotation counts on."""
    rows = [(str(n), f"user{n}", f"R{n}", float(n)) for n in range(250)]
    with listening(engine.uri) as (client, commands):
        collection = client[store.collection.database.name]["oauthtoken"]
        with into(collection, encryption) as documents:
            run(Rows(*rows), documents)

    sent = [command for command in commands.sent if command.get("update") == "oauthtoken"]
    assert len(sent) == 3
    assert "findAndModify" not in commands.names
    longest = importing._BATCH_SECONDS if encryption is None else UNDER_WAY_SECONDS
    assert 1000 * longest / 2 < sent[0]["maxTimeMS"] <= 1000 * longest


@pytest.mark.parametrize("stored_name", [None, "ada"])
@pytest.mark.parametrize("name", [None, "ada"])
@pytest.mark.parametrize("id", [None, "1", "2"])
def test_a_stored_credential_becomes_no_second_document(
    documents: Documents,
    stored: Callable[[], dict[str, Any]],
    store: MongoTokenStore,
    stored_name: str | None,
    name: str | None,
    id: str | None,
) -> None:
    """With or without a name on either side, as a save of the same token makes none."""
    token = make_token(
        id="1", user_name=stored_name, refresh_token="R", client_id="c", client_secret="s"
    )
    store.save_token(token)

    report, _ = run(Rows((id, name, "R", 1)), documents)

    assert report == Report(rows=1, updated=1)
    assert stored() == {"1": (name or stored_name, "R", "access of R for 1")}
    assert run(Rows((id, name, "R", 1)), documents)[0] == Report(rows=1, unchanged=1)


def test_rows_with_and_without_a_name_are_one_login(
    documents: Documents, stored: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_BATCH", 1)
    rows = [("1", None, "R", 1.0), ("2", "ada", "R", 3.0), (None, None, "R", 2.0)]
    assert run(Rows(*rows), documents, dry_run=True)[0] == Report(rows=3, inserted=1, repeated=2)
    assert run(Rows(*rows), documents)[0] == Report(rows=3, inserted=1, repeated=2)
    assert stored() == {"2": ("ada", "R", "access of R for 3.0")}


def test_two_oauth_clients_are_never_mixed(
    documents: Documents, stored: Callable[[], dict[str, Any]], store: MongoTokenStore
) -> None:
    other = {"client_id": "other", "client_secret": "o"}
    store.save_token(make_token(id="1", user_name="ada", refresh_token="R", **other))
    for _ in range(2):
        report, notes = run(Rows(("2", "ada", "R2", 1)), documents)
    assert report == Report(rows=1, unchanged=1)
    assert stored() == {"1": ("ada", "R", None), "2": (None, "R2", "access of R2 for 1")}
    assert notes == []


def test_the_name_stays_with_the_other_client_and_is_said_to(
    documents: Documents, store: MongoTokenStore
) -> None:
    store.save_token(make_token(user_name="ada", refresh_token="R", client_id="other"))
    _, notes = run(Rows(("2", "ada", "R2", 1)), documents)
    assert notes == [(1, "stored without the user name: a token of another OAuth client has it")]


class Documented:
    """A source of these documents."""

    unit = "row"

    def __init__(self, *documents: Document) -> None:
        self._documents = documents

    def rows(self) -> Iterator[Row | InvalidRow]:
        for line, document in enumerate(self._documents, 1):
            yield Row(line, document)


def test_to_import_once_more_fills_what_is_absent(
    documents: Documents, store: MongoTokenStore, raw: Collection[Document]
) -> None:
    """A release that knew fewer columns left them out; the stored tokens stay."""
    whole = to_document(full(id="1", expires_in="1795529348123"))
    later = make_token(
        id="1",
        user_name=whole["user_name"],
        refresh_token=whole["refresh_token"],
        access_token="newer",
        expires_in="1895529348123",
    )
    store.save_token(later)

    report, notes = run(Documented(whole), documents)

    assert report == Report(rows=1, filled=1)
    assert "only missing fields" in notes[0][1]
    [token] = store.get_tokens()
    own = {"access_token": "newer", "expires_in": "1895529348123"}
    assert contents(token) == {**contents(full(id="1")), **own}
    before = list(raw.find())
    assert run(Documented(whole), documents)[0] == Report(rows=1, kept=1)
    assert list(raw.find()) == before


def test_an_access_token_is_filled_together_with_its_expiry(
    documents: Documents, store: MongoTokenStore
) -> None:
    known = {"user_name": "ada", "refresh_token": "R", "client_id": "c", "client_secret": "s"}
    store.save_token(make_token(id="1", **known))
    access = {"access_token": "A", "expiry_time": expiry_date("1795529348123")}
    assert run(Documented({**known, **access}), documents)[0] == Report(rows=1, updated=1)
    store.save_token(make_token(id="2", **{**known, "user_name": "grace", "refresh_token": "R2"}))
    row = {**known, "user_name": "grace", "access_token": "B"}
    assert run(Documented(row), documents)[0] == Report(rows=1, filled=1)
    assert [token.get_expires_in() for token in store.get_tokens()] == ["1795529348123", None]


def test_another_login_that_takes_the_id_in_between_costs_no_row(
    documents: Documents,
    stored: Callable[[], dict[str, Any]],
    store: MongoTokenStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_all = writing.write_all
    saves = iter([make_token(id="1", user_name="grace", access_token="live", refresh_token="RL")])

    def racing(*arguments: Any) -> set[int]:
        for token in saves:
            store.save_token(token)
        return write_all(*arguments)

    monkeypatch.setattr(importing, "write_all", racing)
    report, notes = run(Rows(("1", "ada", "R1", 1)), documents)

    assert report == Report(rows=1, inserted=1)
    assert "another login has the id 1" in notes[0][1]
    assert sorted(stored().values()) == [
        ("ada", "R1", "access of R1 for 1"),
        ("grace", "RL", "live"),
    ]


def test_a_token_that_is_deleted_in_between_is_imported_whole(
    documents: Documents, store: MongoTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = to_document(full(id="1"))
    store.save_token(make_token(id="1", user_name=row["user_name"], access_token="A"))
    write_all = writing.write_all

    def racing(*arguments: Any) -> set[int]:
        store.delete_token("1")
        return write_all(*arguments)

    monkeypatch.setattr(importing, "write_all", racing)
    run(Documented(row), documents)
    assert [contents(token) for token in store.get_tokens()] == [contents(full(id="1"))]


def test_a_save_in_between_that_changes_no_expiry_is_not_undone(
    documents: Documents, store: MongoTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = to_document(full(id="1"))
    name = row["user_name"]
    store.save_token(make_token(id="1", user_name=name, access_token="A", expires_in=in_hours(9)))
    write_all = writing.write_all
    saves = iter([make_token(id="1", refresh_token="of the application")])

    def racing(*arguments: Any) -> set[int]:
        for token in saves:
            store.save_token(token)
        return write_all(*arguments)

    monkeypatch.setattr(importing, "write_all", racing)
    assert run(Documented(row), documents)[0] == Report(rows=1, filled=1)
    [token] = store.get_tokens()
    assert token.get_refresh_token() == "of the application"
    assert token.get_grant_token() == "1000.grant"


def test_a_batch_is_looked_up_by_one_command_and_indexes_alone(
    engine: Engine, store: MongoTokenStore, encryption: FieldEncryption | None
) -> None:
    rows = [
        *((str(n), f"user{n}" if n % 2 else None, f"R{n}", float(n)) for n in range(250)),
        *((None, None, f"S{n}", float(n)) for n in range(50)),
    ]
    with listening(engine.uri) as (client, commands):
        collection = client[store.collection.database.name].get_collection(
            "oauthtoken", store.collection.codec_options
        )
        with into(collection, encryption) as documents:
            run(Rows(*rows), documents)
            commands.clear()
            assert run(Rows(*rows), documents)[0].unchanged == 300

        sent = [one for one in commands.sent if one.get("find") == "oauthtoken"]
        assert len(sent) == 1
        assert "getMore" not in commands.names
        explained = collection.database.command(
            "explain", {"find": "oauthtoken", "filter": sent[0]["filter"]}
        )
    assert stages(explained["queryPlanner"]["winningPlan"]) <= {
        *("SUBPLAN", "FETCH", "OR", "IXSCAN"),
    }


def stages(plan: Any) -> set[str]:
    """The names of all stages of a plan."""
    inner = [plan[name] for name in ("inputStage", "queryPlan") if name in plan]
    names = {plan["stage"]} if "stage" in plan else set()
    return names.union(*map(stages, [*inner, *plan.get("inputStages", [])]))


def test_a_slow_source_has_all_the_time_that_it_takes(documents: Documents) -> None:
    """No time-out of pymongo's is open while the source is read, or while something is said."""
    timeouts = []

    class Slow(Rows):
        def rows(self) -> Iterator[Row | InvalidRow]:
            for row in super().rows():
                timeouts.append(_csot.get_timeout())
                yield row

    source = Slow(("1", "ada", "R1", 1), ("1", "grace", "R2", 1))
    import_tokens(source, documents, on_note=lambda *_: timeouts.append(_csot.get_timeout()))
    assert timeouts == [None] * 5
