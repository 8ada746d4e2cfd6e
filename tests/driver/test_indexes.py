"""The indexes: what they are, that look-ups use them, and how a collection comes to have them."""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.conftest import StoreMaker
from tests.engines import SERVERS, Engine, strict
from tests.failures import fails
from tests.processes import in_processes
from tests.sent_commands import Client, listening
from tests.tokens import CLIENT, contents, full, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.driver.index import Index
from zoho_mongo_store.model.lookup import find_filters
from zoho_mongo_store.storage.token_indexes import idle_index
from zoho_mongo_store.testing import LocalMongo

on_servers = pytest.mark.parametrize("engine", SERVERS, indirect=True)

LOGIN_REQUIRED = "login_required_since_1"
NAMES = [
    *("id_1", "user_name_1", "access_token_1", "refresh_token_1", "grant_token_1"),
    LOGIN_REQUIRED,
]
# Those of the collection of leases are seen to together with those of the tokens.
LEASES = ["leases.purge_at_1", "leases.busy_until_1"]
DAY, WEEK = timedelta(days=1), timedelta(days=7)


def present(collection: Collection[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The options of each index that stands, without MongoDB's own."""
    known = ("key", "unique", "sparse", "expireAfterSeconds", "partialFilterExpression")
    return {
        index["name"]: {
            name: dict(index[name]) if name == "key" else index[name]
            for name in known
            if index.get(name)
        }
        for index in collection.list_indexes()
        if index["name"] != "_id_"
    }


TOKENS = {
    "id_1": {"key": {"id": 1}, "unique": True},
    "user_name_1": {
        "key": {"user_name": 1},
        "unique": True,
        "partialFilterExpression": {"user_name": {"$exists": True}},
    },
    "access_token_1": {"key": {"access_token": 1}},
    "refresh_token_1": {"key": {"refresh_token": 1}},
    "grant_token_1": {"key": {"grant_token": 1}},
    LOGIN_REQUIRED: {
        "key": {"login_required_since": 1},
        "partialFilterExpression": {"login_required_since": {"$exists": True}},
    },
}
# mongomock knows no partial index.
ON_MONGOMOCK = {
    **TOKENS,
    LOGIN_REQUIRED: {"key": {"login_required_since": 1}, "sparse": True},
    "user_name_1": {"key": {"user_name": 1}, "unique": True, "sparse": True},
}


def idle(after: timedelta) -> dict[str, Any]:
    """The TTL index as it stands."""
    return {"updated_at_1": {"key": {"updated_at": 1}, "expireAfterSeconds": after.total_seconds()}}


def test_the_ttl_index_counts_whole_seconds() -> None:
    assert idle_index(None) is None
    assert idle_index(timedelta(days=1, milliseconds=900)) == Index(
        "updated_at", expire_after=86400
    )


@pytest.mark.parametrize(
    "after",
    [timedelta(0), timedelta(seconds=-5), timedelta(milliseconds=999), timedelta(days=30000), 3600],
)
def test_what_is_no_idle_time_is_refused(after: Any) -> None:
    with fails("MongoTokenStore failed: expire_idle_after must be"):
        MongoTokenStore(expire_idle_after=after)


def test_the_first_operation_makes_the_indexes(engine: Engine, store: MongoTokenStore) -> None:
    """Only the id and the user name are unique: two users may share a refresh token."""
    store.find_token_by_id("unknown")

    assert present(store.collection) == (ON_MONGOMOCK if engine.name == "mongomock" else TOKENS)


def test_ensure_indexes_says_what_it_did(make_store: StoreMaker) -> None:
    store = make_store()

    assert store.ensure_indexes() == ([*NAMES, *LEASES], [], [], [])
    assert store.ensure_indexes() == ([], [], [], [*NAMES, *LEASES])
    assert make_store().ensure_indexes() == ([], [], [], [*NAMES, *LEASES])


@on_servers
def test_the_ttl_index_is_made_changed_and_removed(make_store: StoreMaker) -> None:
    make_store().ensure_indexes()

    made = make_store(expire_idle_after=DAY)
    assert made.ensure_indexes() == (["updated_at_1"], [], [], [*NAMES, *LEASES])
    assert present(made.collection) == TOKENS | idle(DAY)

    changed = make_store(expire_idle_after=WEEK)
    assert changed.ensure_indexes() == ([], ["updated_at_1"], [], [*NAMES, *LEASES])
    assert changed.ensure_indexes() == ([], [], [], [*NAMES, "updated_at_1", *LEASES])
    assert present(made.collection) == TOKENS | idle(WEEK)

    removed = make_store()
    assert removed.ensure_indexes() == ([], [], ["updated_at_1"], [*NAMES, *LEASES])
    assert present(made.collection) == TOKENS


@on_servers
def test_the_ttl_index_is_changed_in_place(engine: Engine, database: str) -> None:
    with listening(engine.uri) as (client, commands):
        for after in (DAY, WEEK):
            with MongoTokenStore(
                client=client, database=database, expire_idle_after=after
            ) as store:
                commands.clear()
                store.ensure_indexes()
        assert commands.names == ["listIndexes", "collMod", "listIndexes"]


@on_servers
@pytest.mark.parametrize("after", [None, DAY])
def test_no_operation_changes_or_drops_the_ttl_index(
    make_store: StoreMaker, after: timedelta | None, caplog: pytest.LogCaptureFixture
) -> None:
    make_store(expire_idle_after=WEEK).ensure_indexes()

    store = make_store(expire_idle_after=after)
    store.save_token(full())
    store.get_tokens()

    assert present(store.collection) == TOKENS | idle(WEEK)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    if after is None:
        assert warnings == []
    else:
        (warning,) = warnings
        assert "the index updated_at_1" in warning
        assert "604800 s" in warning
        assert "86400 s" in warning
        assert "ensure_indexes() or run zoho-mongo-store init" in warning


# As releases before this one made them.
OLDER: dict[str, dict[str, Any]] = {
    "user_name": {"unique": True, "sparse": True},
    "access_token": {"sparse": True},
    "refresh_token": {"sparse": True},
    "grant_token": {"sparse": True},
}
MOVED = {
    name if name in ("id_1", LOGIN_REQUIRED) else name.replace("_1", "_v2"): options
    for name, options in TOKENS.items()
}


def make_older(collection: Collection[dict[str, Any]]) -> None:
    collection.create_index("id", unique=True)
    for field, options in OLDER.items():
        collection.create_index(field, **options)


@on_servers
def test_indexes_of_an_older_layout_work_and_are_named(
    store: MongoTokenStore, caplog: pytest.LogCaptureFixture
) -> None:
    make_older(store.collection)
    before = present(store.collection)

    store.save_token(full())

    assert present(store.collection) == before | {LOGIN_REQUIRED: TOKENS[LOGIN_REQUIRED]}
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == len(OLDER)
    for field, warning in zip(OLDER, warnings, strict=True):
        assert f"the index {field}_1 on {store.collection.full_name} is of an older" in warning
        assert "call ensure_indexes() or run zoho-mongo-store init" in warning


@on_servers
def test_ensure_indexes_replaces_those_of_an_older_layout(store: MongoTokenStore) -> None:
    make_older(store.collection)
    store.save_token(full())
    moved = [f"{field}_v2" for field in OLDER]

    assert store.ensure_indexes() == ([], moved, [], ["id_1", LOGIN_REQUIRED, *LEASES])

    assert present(store.collection) == MOVED
    assert store.ensure_indexes() == ([], [], [], ["id_1", *moved, LOGIN_REQUIRED, *LEASES])


@on_servers
def test_a_replacement_that_was_cut_off_is_completed(
    engine: Engine, store: MongoTokenStore
) -> None:
    if engine.client.server_info()["versionArray"][0] < 5:
        pytest.skip("before 5.0, two indexes on one field cannot differ in being sparse alone")
    make_older(store.collection)
    store.collection.create_index("access_token", name="access_token_v2")

    store.ensure_indexes()

    assert present(store.collection) == MOVED


def by_field(indexes: dict[str, Any]) -> dict[str, Any]:
    assert len(indexes) == len({tuple(index["key"]) for index in indexes.values()})
    return {"".join(index["key"]): index for index in indexes.values()}


@on_servers
def test_many_processes_replace_those_of_an_older_layout_at_once(
    engine: Engine, database: str
) -> None:
    collection = engine.client[database].oauthtoken
    make_older(collection)

    in_processes(ensure, [(engine.uri, database, None)] * 8)

    # Which of its two names an index has by then depends on who came first.
    assert by_field(present(collection)) == by_field(MOVED)


@on_servers
def test_an_index_of_somebody_elses_is_left_alone(store: MongoTokenStore) -> None:
    others = {
        "mine": {"key": {"id": 1, "user_name": 1}},
        "updated_at_1": {"key": {"updated_at": 1}},
    }
    for name, index in others.items():
        store.collection.create_index(list(index["key"].items()), name=name)

    assert store.ensure_indexes() == ([*NAMES, *LEASES], [], [], [])
    assert present(store.collection) == TOKENS | others


@on_servers
def test_one_that_another_process_makes_meanwhile_will_do(
    store: MongoTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = Collection.list_indexes

    def list_then_make(collection: Collection[Any], **options: Any) -> Any:
        before = listed(collection, **options)
        monkeypatch.undo()
        collection.create_index("id", unique=True, name="theirs")
        return before

    monkeypatch.setattr(Collection, "list_indexes", list_then_make)
    assert store.ensure_indexes() == (["theirs", *NAMES[1:], *LEASES], [], [], [])


@on_servers
def test_the_same_index_under_another_name_will_do(store: MongoTokenStore) -> None:
    store.collection.create_index("id", unique=True, name="mine")

    assert store.ensure_indexes() == ([*NAMES[1:], *LEASES], [], [], ["mine"])


CONFLICTS: dict[str, tuple[str, dict[str, Any]]] = {
    "id_1": ("id", {}),
    "by_id": ("id", {"name": "by_id"}),
    "user_name_1": ("user_name", {"unique": True}),
    "access_token_1": ("access_token", {"sparse": True, "unique": True}),
    "refresh_token_1": (
        "refresh_token",
        {"partialFilterExpression": {"refresh_token": {"$type": "string"}}},
    ),
    "grant_token_1": ("other", {"name": "grant_token_1"}),
    "updated_at_1": ("updated_at", {}),
}


@on_servers
@pytest.mark.parametrize("name", CONFLICTS)
def test_a_conflicting_index_is_named(make_store: StoreMaker, name: str) -> None:
    store = make_store(expire_idle_after=DAY)
    field, options = CONFLICTS[name]
    store.collection.create_index(field, **options)
    before = present(store.collection)[name]

    with fails(f"ensure_indexes failed: the index {name} on .* conflicts"):
        store.ensure_indexes()
    with fails(f"save_token failed: the index {name} on .* conflicts"):
        store.save_token(full())

    assert present(store.collection)[name] == before
    assert store.collection.count_documents({}) == 0
    store.collection.drop_index(name)
    store.save_token(full())


@on_servers
@pytest.mark.parametrize("name", ["id_1", "grant_token_1"])
def test_a_conflicting_index_that_somebody_makes_meanwhile_is_named(
    make_store: StoreMaker, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    store = make_store()
    field, options = CONFLICTS[name]
    store.collection.create_index(field, **options)
    with monkeypatch.context() as patch:
        patch.setattr(Collection, "list_indexes", lambda *_: iter([]))
        with fails(f"ensure_indexes failed: the index {name} on .*oauthtoken cannot be created"):
            store.ensure_indexes()


@on_servers
@pytest.mark.parametrize("field", ["id", "user_name"])
def test_documents_that_break_the_uniqueness_are_named(store: MongoTokenStore, field: str) -> None:
    documents = [{"id": str(n), "user_name": str(n), field: "same"} for n in range(2)]
    store.collection.insert_many(documents)

    with fails(f"the unique index {field}_1 on .*oauthtoken cannot be created: .* same {field}"):
        store.find_token_by_id("unknown")


def ensure(uri: str, database: str, after: timedelta | None) -> None:
    with MongoTokenStore(uri, database=database, expire_idle_after=after) as store:
        store.ensure_indexes()


@on_servers
@pytest.mark.parametrize("after", [None, DAY])
def test_many_processes_make_them_at_once(
    engine: Engine, database: str, after: timedelta | None
) -> None:
    ensure(engine.uri, database, WEEK)
    collection = engine.client[database].oauthtoken
    collection.drop_index("user_name_1")

    in_processes(ensure, [(engine.uri, database, after)] * 8)

    assert present(collection) == TOKENS | (idle(after) if after else {})


# The look-ups.

LOOKUPS: list[dict[str, Any]] = [
    filter
    for fields in (
        {"id": "7"},
        {"user_name": "user7"},
        {"access_token": "A7"},
        {"grant_token": "G7", "refresh_token": "R7", **CLIENT},
        {"user_name": "user7", "access_token": "A7"},
        {"user_name": "user7", "grant_token": "G7", "refresh_token": "R7", **CLIENT},
    )
    for filter in find_filters(fields)
]


def stages(plan: object) -> Iterator[str]:
    """The names of all stages in a plan."""
    if isinstance(plan, Mapping):
        for name, value in plan.items():
            if name == "stage":
                yield value
            else:
                yield from stages(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from stages(value)


@on_servers
@pytest.mark.parametrize("is_strict", [False, True], ids=["any API", "Stable API"])
@pytest.mark.parametrize("filter", LOOKUPS, ids="-".join)
def test_every_look_up_is_an_index_scan(
    engine: Engine, make_store: StoreMaker, filter: dict[str, Any], is_strict: bool
) -> None:
    with strict(engine) if is_strict else nullcontext(engine) as by_api:
        store = make_store(client=by_api.client)
        found = list(stages(plan_of(store, filter)))

    assert any(stage.endswith("IXSCAN") for stage in found)
    assert "COLLSCAN" not in found


def plan_of(store: MongoTokenStore, filter: dict[str, Any]) -> Any:
    """How MongoDB finds the document among 100 others."""
    store.ensure_indexes()
    store.collection.insert_many(
        {"id": f"{n}", "access_token": f"A{n}", "refresh_token": f"R{n}", "grant_token": f"G{n}"}
        | ({"user_name": f"user{n}"} if n % 2 else {})
        for n in range(100)
    )

    return store.collection.find(filter).limit(1).explain()["queryPlanner"]["winningPlan"]


# Roles.


@on_servers
def test_create_indexes_false_sends_no_index_command(engine: Engine, database: str) -> None:
    with (
        listening(engine.uri) as (client, commands),
        MongoTokenStore(
            client=client, database=database, create_indexes=False, expire_idle_after=DAY
        ) as store,
    ):
        token = full()
        store.save_token(token)
        store.find_token(make_token(user_name="ada@example.com:1"))
        store.get_tokens()
        store.delete_token(str(token.get_id()))
        store.delete_tokens()

        assert set(commands.names) == {"findAndModify", "find", "delete", "hello"}


PASSWORD = "geheimnis"
ACTIONS = ["find", "insert", "update", "remove"]


@pytest.fixture(scope="module")
def users(guarded: LocalMongo) -> LocalMongo:
    """The server with users: ``tokens`` may read and write one database but make no index,
    ``reader`` may only read it, and ``deployer`` may do both and make indexes."""
    with Client(guarded.admin_uri) as client:
        privilege = {"resource": {"db": "zohooauth", "collection": ""}, "actions": ACTIONS}
        client.zohooauth.command("createRole", "tokens", privileges=[privilege], roles=[])
        for user, role in (("tokens", "tokens"), ("reader", "read"), ("deployer", "readWrite")):
            client.zohooauth.command("createUser", user, pwd=PASSWORD, roles=[role])
    return guarded


def uri_of(server: LocalMongo, user: str) -> str:
    return server.uri.replace("//", f"//{user}:{PASSWORD}@").replace("/?", "/zohooauth?")


def test_create_indexes_false_works_under_a_role_that_may_not_create_any(
    users: LocalMongo,
) -> None:
    with MongoTokenStore(uri_of(users, "deployer")) as store:
        store.ensure_indexes()
        store.delete_tokens()
    with MongoTokenStore(uri_of(users, "tokens")) as store:
        with fails(r"grant it find, insert, .* or pass create_indexes=False"):
            store.save_token(full())
        with fails(r"ensure_indexes failed: .* or pass create_indexes=False"):
            store.ensure_indexes()
    with MongoTokenStore(uri_of(users, "tokens"), create_indexes=False) as store:
        token = full()
        store.save_token(token)
        assert contents(store.find_token_by_id(str(token.get_id()))) == contents(token)
        assert len(store.get_tokens()) == 1
        store.delete_token(str(token.get_id()))
        store.delete_tokens()


def test_a_role_that_may_only_read_is_told_what_it_lacks(users: LocalMongo) -> None:
    with MongoTokenStore(uri_of(users, "deployer")) as store:
        token = full()
        store.save_token(token)
    with MongoTokenStore(uri_of(users, "reader")) as store:
        assert contents(store.find_token_by_id(str(token.get_id()))) == contents(token)
        with fails("save_token failed: the MongoDB role may not do this: grant it find, insert"):
            store.save_token(full())
        with fails("delete_token failed: the MongoDB role may not do this"):
            store.delete_token(str(token.get_id()))
        with fails("delete_tokens failed: the MongoDB role may not do this"):
            store.delete_tokens()


def test_a_wrong_password_is_told_and_not_shown(users: LocalMongo) -> None:
    uri = uri_of(users, "tokens").replace(PASSWORD, "another-secret")
    with (
        MongoTokenStore(uri) as store,
        fails("find_token_by_id failed: MongoDB refused the log-in: check the user") as caught,
    ):
        store.find_token_by_id("7")
    assert "another-secret" not in f"{caught.value!r} {caught.value} {caught.value.cause!r}"
