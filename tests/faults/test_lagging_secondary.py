"""Reads from a secondary, by the user's own choice, that has not got what was saved last."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import CommandLine
from tests.engines import Engine
from tests.failures import fails
from tests.faults.three_members import QUICK_ELECTIONS
from tests.refresh.callers import Fleet, by_id, by_user_name
from tests.sdk.application import CLIENT, USER, Application, call_api, name_of
from tests.sent_commands import Client, listening
from tests.tokens import contents, full, make_token
from tests.transfer.sources import with_filestore
from tests.waiting import eventually, once_it_works
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LocalMongo, LoopbackZoho, fresh_sdk
from zoho_mongo_store.testing.member import Member

PATIENCE = 30
NAME = {"user_name": name_of(USER)}
FULL_NAME = "ada@example.com:1"

Start = Callable[..., Application]


class Lagging:
    """A secondary that applies nothing any more, and how it is read."""

    def __init__(self, member: Member, uri: str, database: str) -> None:
        self._member = member
        self._database = database
        self.uri = f"{uri}&readPreference=secondaryPreferred&readPreferenceTags=lags:yes"

    def begin(self) -> None:
        """Let it fall behind, once it has the indexes of the test."""
        with Client(self._member.uri) as client:
            leases = client[self._database]["oauthtoken.leases"]
            assert eventually(lambda: "purge_at_1" in leases.index_information())
        self._set_fail_point("alwaysOn")

    def end(self) -> None:
        """Let it catch up."""
        self._set_fail_point("off")

    def has(self, **fields: Any) -> bool:
        """Whether it has a token with these fields."""
        with Client(self._member.uri) as client:
            return client[self._database].oauthtoken.find_one(fields) is not None

    def _set_fail_point(self, mode: str) -> None:
        with Client(self._member.uri) as client:
            client.admin.command("configureFailPoint", "rsSyncApplyStop", mode=mode)


@pytest.fixture(scope="module")
def three() -> Iterator[LocalMongo]:
    """Three members; the last one has a tag, and is never elected, however slow the machine."""
    # The other secondary is to replicate from the primary.
    settings = {**QUICK_ELECTIONS, "chainingAllowed": False}
    with LocalMongo(members=3, test_commands=True, replica_set_settings=settings) as mongo:
        *_, late = mongo.members
        if late.is_primary:
            late.step_down()
            assert eventually(lambda: not late.is_primary)
        with Client(mongo.wait_for_primary().uri) as client:
            config = client.admin.command("replSetGetConfig")["config"]
            (own,) = (one for one in config["members"] if one["host"] == late.address)
            own |= {"tags": {"lags": "yes"}, "priority": 0}
            config["version"] += 1
            client.admin.command("replSetReconfig", config)
        yield mongo


@pytest.fixture
def engine(three: LocalMongo) -> Iterator[Engine]:
    """The three members, read on the primary."""
    with Client(three.uri) as client:
        yield Engine("three", client, three.uri)


@pytest.fixture
def lagging(engine: Engine, three: LocalMongo, database: str) -> Iterator[Lagging]:
    """The secondary, which has the indexes and gets nothing from now on."""
    with MongoTokenStore(engine.uri, database=database, timeout=PATIENCE) as store:
        store.ensure_indexes()
    late = Lagging(three.members[-1], engine.uri, database)
    late.begin()
    yield late
    late.end()


@pytest.fixture
def start(database: str, zoho: LoopbackZoho, resource_path: str) -> Start:
    """Starts an application of a connection string with a token of these fields."""

    def run(uri: str, fields: dict[str, Any]) -> Any:
        options = {"uri": uri, "database": database, "timeout": PATIENCE}
        with fresh_sdk():
            return call_api(Application(zoho, options, resource_path), fields)

    return run


def test_a_miss_is_looked_up_once_more_on_the_primary(
    engine: Engine, database: str, lagging: Lagging
) -> None:
    token = full()
    with MongoTokenStore(engine.uri, database=database, timeout=PATIENCE) as store:
        store.save_token(token)
    assert not lagging.has(user_name=FULL_NAME)

    options: dict[str, Any] = {"database": database, "timeout": PATIENCE, "create_indexes": False}
    with (
        listening(lagging.uri) as (client, commands),
        MongoTokenStore(client=client, **options) as store,
    ):
        # The first token that a store finds has it ask for MongoDB's time too.
        assert contents(store.find_token_by_id(str(token.get_id()))) == contents(token)
        for known in ({"id": token.get_id()}, {"user_name": FULL_NAME}):
            commands.clear()
            assert contents(store.find_token(make_token(**known))) == contents(token)
            assert commands.names == ["find", "find"]
            assert commands.sent[0]["$readPreference"]["mode"] == "secondaryPreferred"
            assert "$readPreference" not in commands.sent[1]
        commands.clear()
        assert store.find_token_by_id("unknown") is None
        assert commands.names == ["find", "find"]


def test_a_login_of_a_moment_ago_is_used(
    engine: Engine, lagging: Lagging, start: Start, zoho: LoopbackZoho
) -> None:
    """Nobody sends an empty request, or spends the grant token again."""
    login = {**CLIENT, **NAME, "grant_token": zoho.grant()}
    first: Any = start(engine.uri, login)
    assert not lagging.has(**NAME)

    for known in ({"id": first.token["id"]}, {**CLIENT, **NAME}, login):
        outcome: Any = start(lagging.uri, known)
        assert (outcome.users, outcome.access_token) == ([USER], first.access_token)

    assert (zoho.count("grant"), zoho.count("refresh")) == (1, 0)


def test_a_second_login_is_used_where_the_first_is_read(
    engine: Engine, lagging: Lagging, start: Start, zoho: LoopbackZoho
) -> None:
    """Also by the id, which it has from then on: no find goes back behind what was seen."""
    lagging.end()
    start(engine.uri, {**CLIENT, **NAME, "grant_token": zoho.grant()})
    assert eventually(lambda: lagging.has(**NAME))
    lagging.begin()
    login = {**CLIENT, **NAME, "grant_token": zoho.grant()}
    second: Any = start(engine.uri, login)
    assert lagging.has(**NAME)
    assert not lagging.has(access_token=second.access_token)

    outcome: Any = start(lagging.uri, login)

    assert (outcome.users, outcome.access_token) == ([USER], second.access_token)
    assert (zoho.count("grant"), zoho.count("refresh")) == (2, 0)


def test_what_a_store_wrote_itself_it_finds(database: str, lagging: Lagging) -> None:
    lagging.end()
    with listening(lagging.uri) as (client, commands):
        store = MongoTokenStore(client=client, database=database, timeout=PATIENCE)
        store.save_token(full(id="1", access_token="first"))
        assert eventually(lambda: lagging.has(access_token="first"))
        lagging.begin()

        store.save_token(full(id="1", access_token="second"))
        assert contents(store.find_token_by_id("1"))["access_token"] == "second"
        assert contents(store.find_token(make_token(user_name=FULL_NAME)))["id"] == "1"
        assert store.expire_access_token("1", "second")
        commands.clear()
        assert contents(store.find_token_by_id("1"))["access_token"] == "second"
        assert contents(store.find_token_by_id("1"))["expires_in"] < str(int(time.time() * 1000))
        assert commands.names == ["find"] * 4
        store.delete_token("1")
        assert store.find_token_by_id("1") is None

        # Once the secondary has caught up, it alone is asked.
        lagging.end()
        store.save_token(full(id="2", access_token="third"))
        assert eventually(lambda: lagging.has(access_token="third"))
        commands.clear()
        assert contents(store.find_token_by_id("2"))["access_token"] == "third"
        assert commands.names == ["find"]
        store.close()


def test_what_was_kept_and_written_later_is_found(
    three: LocalMongo, database: str, lagging: Lagging
) -> None:
    lagging.end()
    with MongoTokenStore(lagging.uri, database=database, timeout=3) as store:
        once_it_works(lambda: store.save_token(full(id="1", access_token="first")))
        assert eventually(lambda: lagging.has(access_token="first"))
        lagging.begin()
        primary = three.wait_for_primary()
        primary.stop()
        with fails("save_token failed: MongoDB cannot be reached"):
            store.save_token(full(id="1", access_token="second"))
        primary.cont()

        assert eventually(lambda: not store._tokens._pending)
        assert lagging.has(access_token="first")
        found = once_it_works(lambda: store.find_token_by_id("1"))
        assert contents(found)["access_token"] == "second"


def test_a_refresh_is_not_sent_again_where_the_expired_token_is_read(
    engine: Engine, database: str, lagging: Lagging, zoho: LoopbackZoho
) -> None:
    lagging.end()
    fleet = Fleet(engine.uri, database, zoho)
    fields = fleet.stored()
    assert eventually(lambda: lagging.has(access_token=fields["access_token"]))
    lagging.begin()

    (first,) = fleet.call([by_id(fields)])
    assert lagging.has(access_token=fields["access_token"])
    others = Fleet(lagging.uri, database, zoho).call([by_id(fields), by_user_name(fields)])

    assert {call.access_token for call in others} == {first.access_token}
    assert zoho.is_live(first.access_token or "")
    assert zoho.count("refresh") == 1


@pytest.fixture
def cli(lagging: Lagging, database: str, tmp_path: Path) -> CommandLine:
    """The command line of who reads the secondary."""
    context = {"ZOHO_MONGO_URI": lagging.uri, "ZOHO_MONGO_DATABASE": database}
    return CommandLine(context, tmp_path)


def test_the_import_and_the_commands_read_the_primary(
    cli: CommandLine, lagging: Lagging, tmp_path: Path
) -> None:
    path = with_filestore(tmp_path / "tokens.csv", [full()])
    imported = [cli("import", "filestore", str(path), "--json").json for _ in range(2)]
    assert [(one["inserted"], one["unchanged"]) for one in imported] == [(1, 0), (0, 1)]
    assert not lagging.has(user_name=FULL_NAME)

    for arguments in ("list", f"list --user {FULL_NAME}", "purge --idle-for 0s --dry-run"):
        assert [row[0] for row in cli(*arguments.split()).rows] == [FULL_NAME]
    assert dict(cli("show", "1").rows)["user_name"] == FULL_NAME
    assert json.loads(cli("export").output)["id"] == "1"
    assert cli("delete", "1", "--yes").status == 0
    assert cli("list", "--json").json == []


def test_doctor_names_the_read_preference(engine: Engine, cli: CommandLine) -> None:
    lines = {one["check"]: one for one in cli("doctor", "--json").json}
    chosen = lines["read preference"]
    assert chosen["result"] == "warned"
    assert chosen["detail"].startswith("secondaryPreferred of the members tagged lags:yes: ")
    assert "readPreference" in chosen["advice"]

    lines = {one["check"]: one for one in cli("doctor", "--json", "--uri", engine.uri).json}
    own = lines["read preference"]
    assert (own["result"], own["detail"]) == ("passed", "primary")
