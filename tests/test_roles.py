"""The roles that docs/create_role.py makes: enough for the store, and no more."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

from tests.engines import SERVERS, Engine
from tests.tokens import CLIENT, contents, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import SDKException
from zoho_mongo_store.testing import LocalMongo

SCRIPT = Path(__file__).parents[1] / "docs" / "create_role.py"
# Each process has its own: roles and users belong to a database.
DATABASE = f"test_roles_{os.getpid()}"
COLLECTIONS = {"tokens", "tokens.leases", "__keyVault"}
ROLES = {"app": "zohoTokenStore", "deploy": "zohoTokenStoreDeploy"}
PASSWORD = "open sesame"
UNAUTHORIZED = 13
UNSCOPED = pytest.param(
    "embedded", marks=pytest.mark.skip(reason="the embedded server checks no role's collections")
)

Client = MongoClient[dict[str, Any]]
ClientOf = Callable[[str], Client]


def create_roles(uri: str) -> str:
    """Run the script; what it prints."""
    command = [sys.executable, str(SCRIPT), uri, f"--database={DATABASE}", "--collection=tokens"]
    finished = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return finished.stdout


def create_users(uri: str, database: Database[dict[str, Any]]) -> None:
    create_roles(uri)
    for user, role in ROLES.items():
        database.command("createUser", user, pwd=PASSWORD, roles=[role])


@pytest.fixture(scope="module")
def embedded_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The embedded server with authentication; its users are made while it is without."""
    storage = tmp_path_factory.mktemp("storage")
    with LocalMongo(storage_path=storage) as server, Client(server.uri) as client:
        create_users(server.uri, client[DATABASE])
    with LocalMongo(storage_path=storage, auth=True) as server:
        yield server.uri


@pytest.fixture(params=SERVERS)
def client_of(
    request: pytest.FixtureRequest, running_engines: Callable[[str], Engine]
) -> Iterator[ClientOf]:
    """Connects as ``app`` or ``deploy`` to each server that asks for a password."""
    with ExitStack() as stack:
        if request.param == "embedded":
            uri = request.getfixturevalue("embedded_uri")
        else:
            engine = running_engines(request.param)
            uri = engine.uri
            stack.callback(drop, engine.client)
            status = engine.client.admin.command("connectionStatus")
            if not status["authInfo"]["authenticatedUsers"]:
                pytest.skip("this MongoDB runs without authentication, so it enforces no role")
            create_users(uri, engine.client[DATABASE])

        def connect(user: str) -> Client:
            login: dict[str, Any] = {
                "username": user,
                "password": PASSWORD,
                "authSource": DATABASE,
            }
            return stack.enter_context(Client(uri, **login))

        yield connect


def drop(client: Client) -> None:
    client[DATABASE].command("dropAllUsersFromDatabase")
    client[DATABASE].command("dropAllRolesFromDatabase")
    client.drop_database(DATABASE)


def make_store(client: Client, **options: Any) -> MongoTokenStore:
    return MongoTokenStore(client=client, database=DATABASE, collection="tokens", **options)


def test_the_application_may_do_all_but_indexes(client_of: ClientOf) -> None:
    store = make_store(client_of("app"), create_indexes=False)
    token = make_token(user_name="ada@example.com:1", refresh_token="R", **CLIENT)

    store.save_token(token)
    store.save_token(token)
    assert contents(store.find_token_by_id(token.get_id() or "")) == contents(token)
    assert len(store.get_tokens()) == 1
    store.delete_token(token.get_id() or "")
    store.save_token(make_token(access_token="A"))
    store.delete_tokens()
    assert store.get_tokens() == []
    with pytest.raises(SDKException, match="role may not"):
        store.ensure_indexes()


def test_the_deploy_step_may_do_indexes_alone(client_of: ClientOf) -> None:
    client = client_of("deploy")

    for idle in (timedelta(days=1), timedelta(days=2), None):
        make_store(client, expire_idle_after=idle).ensure_indexes()
    with pytest.raises(SDKException, match="role may not"):
        make_store(client).get_tokens()
    with pytest.raises(SDKException, match="role may not"):
        make_store(client).save_token(make_token(access_token="A"))


@pytest.mark.parametrize("user", ROLES)
def test_neither_reaches_another_database(client_of: ClientOf, user: str) -> None:
    assert_refused(client_of(user)[f"{DATABASE}_other"], "tokens")


@pytest.mark.parametrize("client_of", [UNSCOPED, *SERVERS[1:]], indirect=True)
@pytest.mark.parametrize("user", ROLES)
def test_neither_reaches_another_collection(client_of: ClientOf, user: str) -> None:
    assert_refused(client_of(user)[DATABASE], "other")


def assert_refused(database: Database[dict[str, Any]], collection: str) -> None:
    for attempt in (
        database[collection].find_one,
        lambda: database[collection].insert_one({}),
        lambda: database[collection].create_index("field"),
    ):
        with pytest.raises(OperationFailure) as refused:
            attempt()
        assert refused.value.code == UNAUTHORIZED


def test_the_script_takes_back_what_is_too_much() -> None:
    with LocalMongo() as server, Client(server.uri) as client:
        database = client[DATABASE]
        everything = {"resource": {"db": DATABASE, "collection": ""}, "actions": ["dropDatabase"]}
        database.command("createRole", "zohoTokenStore", privileges=[everything], roles=[])

        printed = create_roles(server.uri)

        roles = database.command("rolesInfo", 1, showPrivileges=True)["roles"]
    assert printed.split() == [f"{DATABASE}.{role}" for role in ROLES.values()]
    granted = {role["role"]: role["privileges"] for role in roles}
    assert {name: actions(privileges) for name, privileges in granted.items()} == {
        "zohoTokenStore": {"find", "insert", "update", "remove"},
        "zohoTokenStoreDeploy": {"createIndex", "collMod", "listIndexes", "dropIndex"},
    }
    for privileges in granted.values():
        assert {one["resource"]["collection"] for one in privileges} == COLLECTIONS


def actions(privileges: list[dict[str, Any]]) -> set[str]:
    return {action for one in privileges for action in one["actions"]}
