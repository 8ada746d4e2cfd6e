"""The roles that create-roles makes: enough for everything the package does, and no more."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import OperationFailure

from tests.commands.conftest import CommandLine, Result
from tests.encryption.keys import new_key
from tests.operations import (
    COLLECTIONS,
    COMMANDS,
    DEPLOY,
    IMPORT,
    KEYS,
    LAST,
    REFRESH,
    STORE,
    TOKENS,
    Place,
)
from tests.sent_commands import Client
from tests.tokens import full, make_token
from tests.transfer.sources import with_filestore
from zoho_mongo_store.sdk import SDKException
from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

ROLES = {
    "app": ["zohoTokenStore"],
    "deploy": ["zohoTokenStoreDeploy"],
    "both": ["zohoTokenStore", "zohoTokenStoreDeploy"],
}
ACTIONS = {
    "zohoTokenStore": {"find", "insert", "update", "remove"},
    "zohoTokenStoreDeploy": {"createIndex", "collMod", "listIndexes", "dropIndex"},
}
PASSWORD = "open-sesame"
# May create roles, and read nothing.
ROLE_ADMIN = "admin"
UNAUTHORIZED = 13
SEEDED = 60

BY_APP = {**STORE, **REFRESH, **COMMANDS, **IMPORT}
Attempt = Callable[[Database[dict[str, Any]], str], object]


def create_roles(
    uri: str, database: str, folder: Path, *arguments: str, input: str | None = None
) -> Result:
    """Run the command; what it said."""
    place = {"ZOHO_MONGO_URI": uri, "ZOHO_MONGO_DATABASE": database}
    result = CommandLine(place, folder)("create-roles", *arguments, input=input)
    assert result.status == 0, result.errors
    return result


def login(mongo: LocalMongo, user: str, database: str, password: str | None = PASSWORD) -> str:
    """The URI of a user of ``database``."""
    credentials = user if password is None else f"{user}:{password}"
    return mongo.uri.replace("://", f"://{credentials}@") + f"&authSource={database}"


@pytest.fixture(scope="module")
def mongo() -> Iterator[LocalMongo]:
    with LocalMongo(auth=True) as running:
        yield running


@pytest.fixture(scope="module")
def admin(mongo: LocalMongo) -> Iterator[Client]:
    with Client(mongo.admin_uri) as client:
        yield client


@pytest.fixture(scope="module")
def zoho() -> Iterator[LoopbackZoho]:
    with LoopbackZoho() as server:
        yield server


@pytest.fixture(scope="module", params=["plain", "encrypted"])
def place(
    request: pytest.FixtureRequest,
    mongo: LocalMongo,
    admin: Client,
    zoho: LoopbackZoho,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """A database with the roles, their users, indexes that the deploy step made, and tokens that
    the application stored; all that is done there is done as ``app``."""
    name = f"tokens_{request.param}"
    create_roles(mongo.admin_uri, name, tmp_path_factory.mktemp(name))
    for user, roles in ROLES.items():
        admin[name].command("createUser", user, pwd=PASSWORD, roles=roles)
    key = new_key() if request.param == "encrypted" else None
    place = Place(login(mongo, "app", name), name, zoho, tmp_path_factory.mktemp(name), key)
    for operation in DEPLOY.values():
        operation(place.of(login(mongo, "deploy", name)))
    place.seed(SEEDED)
    yield place
    admin.drop_database(name)


@pytest.mark.parametrize("operation", BY_APP)
def test_the_application_may(place: Place, operation: str) -> None:
    BY_APP[operation](place)


def test_doctor_says_what_it_may_not_look_at(place: Place) -> None:
    findings = place.try_to_run("doctor", "--json").json
    unseen = [one["check"] for one in findings if one["detail"] == "the role may not check this"]
    assert unseen == ["indexes"]


def test_the_application_may_delete_all(place: Place) -> None:
    for operation in LAST.values():
        place.seed(1)
        operation(place)
    place.seed(SEEDED)


@pytest.mark.parametrize("place", ["encrypted"], indirect=True)
@pytest.mark.parametrize("user", ["app", "both"])
def test_the_application_may_maintain_the_keys(mongo: LocalMongo, place: Place, user: str) -> None:
    for operation in KEYS.values():
        operation(place.of(login(mongo, user, place.database)))


@pytest.fixture
def bare(admin: Client, mongo: LocalMongo, place: Place, tmp_path: Path) -> Iterator[Place]:
    """A database with the roles, and without any index; also a user who may only read."""
    name = f"{place.database}_bare"
    create_roles(mongo.admin_uri, name, tmp_path)
    for user, roles in {**ROLES, "reader": ["read"]}.items():
        admin[name].command("createUser", user, pwd=PASSWORD, roles=roles)
    yield Place(login(mongo, "app", name), name, place.zoho, tmp_path, place.master_key)
    admin[name].command("dropAllUsersFromDatabase")
    admin[name].command("dropAllRolesFromDatabase")
    admin.drop_database(name)


def test_the_application_imports_once_the_indexes_stand(mongo: LocalMongo, bare: Place) -> None:
    rows = with_filestore(bare.folder / "rows.csv", [full()])
    command = ("import", "filestore", str(rows))
    for dry_run in ([], ["--dry-run"]):
        refused = bare.try_to_run(*command, *dry_run)
        assert (refused.status, refused.output) == (1, "")
        assert refused.errors.startswith(
            "zoho-mongo-store import filestore: the indexes id_1, user_name_1, "
        )
        assert "run zoho-mongo-store init as zohoTokenStoreDeploy first" in refused.errors
    both = bare.of(login(mongo, "both", bare.database))
    assert both.try_to_run(*command, "--dry-run").status == 0

    bare.of(login(mongo, "deploy", bare.database)).run("init")
    assert bare.try_to_run(*command, "--dry-run", "--json").json["inserted"] == 1
    assert bare.try_to_run(*command, "--json").json["inserted"] == 1


@pytest.mark.parametrize(
    ("user", "lacking"), [("reader", "insert, update"), ("deploy", "find, insert, update")]
)
def test_a_dry_run_checks_the_rights(
    mongo: LocalMongo, bare: Place, user: str, lacking: str
) -> None:
    rows = with_filestore(bare.folder / "rows.csv", [full()])
    tried = bare.of(login(mongo, user, bare.database))
    result = tried.try_to_run("import", "filestore", str(rows), "--dry-run")
    assert (result.status, result.output) == (1, "")
    assert f": the role may not {lacking} in {bare.database}.oauthtoken" in result.errors
    assert "create-roles" in result.errors


def test_a_collection_without_its_index_of_keys_is_not_encrypted_by_the_application(
    bare: Place,
) -> None:
    key = bare.master_key or new_key()
    result = replace(bare, master_key=key).try_to_run("encrypt", "--yes")
    assert (result.status, result.errors.count("\n")) == (1, 1)
    assert "role may not" in result.errors


def test_the_application_may_not_make_indexes(place: Place) -> None:
    with place.store() as store, pytest.raises(SDKException, match="role may not"):
        store.ensure_indexes()


def test_the_deploy_step_may_change_the_idle_index(mongo: LocalMongo, place: Place) -> None:
    deploy = place.of(login(mongo, "deploy", place.database))
    for arguments in (
        ["--expire-idle-after", "9d"],
        ["--expire-idle-after", "8d"],
        ["--keep-idle"],
    ):
        deploy.run("init", *arguments)


def test_the_deploy_step_neither_reads_nor_saves(mongo: LocalMongo, place: Place) -> None:
    with place.of(login(mongo, "deploy", place.database)).store() as store:
        with pytest.raises(SDKException, match="role may not"):
            store.get_tokens()
        with pytest.raises(SDKException, match="role may not"):
            store.find_token_by_id("1000")
        with pytest.raises(SDKException, match="role may not"):
            store.save_token(make_token(access_token="A"))


# By the privilege that each takes; all are tried on a collection.
ATTEMPTS: dict[str, Attempt] = {
    "find": lambda database, name: database[name].find_one(),
    "insert": lambda database, name: database[name].insert_one({}),
    "update": lambda database, name: database[name].update_one({}, {"$set": {"field": 1}}),
    "remove": lambda database, name: database[name].delete_many({}),
    "createIndex": lambda database, name: database[name].create_index("field"),
    "listIndexes": lambda database, name: list(database[name].list_indexes()),
    "dropIndex": lambda database, name: database[name].drop_index("field_1"),
    "collMod": lambda database, name: database.command("collMod", name, validator={}),
    "dropCollection": lambda database, name: database.drop_collection(name),
    "collStats": lambda database, name: database.command("collStats", name),
    "changeStream": lambda database, name: database[name].watch().close(),
    "renameCollectionSameDB": lambda database, name: database[name].rename(f"{name}.renamed"),
}
ON_THE_DATABASE: dict[str, Callable[[Database[dict[str, Any]]], object]] = {
    "dropDatabase": lambda database: database.client.drop_database(database),
    "listCollections": lambda database: list(database.list_collections()),
    "viewUser": lambda database: database.command("usersInfo", "admin"),
    "grantRole": lambda database: database.command("grantRolesToUser", "app", roles=["dbOwner"]),
    "createUser": lambda database: database.command("createUser", "me", pwd="me", roles=[]),
}


@pytest.fixture
def foreign(admin: Client, place: Place) -> Iterator[list[tuple[str, str]]]:
    """Collections, by database and name, that belong to others: each holds a document."""
    others = [
        (place.database, "other"),
        (place.database, f"{TOKENS}2"),
        (place.database, f"{TOKENS}.other"),
        (f"{place.database}_other", TOKENS),
    ]
    for database, name in others:
        admin[database][name].insert_one({"_id": 1})
    yield others
    for database, name in others:
        assert list(admin[database][name].find()) == [{"_id": 1}]
        admin[database].drop_collection(name)


def is_refused(attempt: Callable[[], object]) -> bool:
    """Whether MongoDB refuses it for want of a privilege."""
    try:
        attempt()
    except OperationFailure as error:
        return error.code == UNAUTHORIZED
    return False


@pytest.mark.parametrize("user", ROLES)
def test_no_role_reaches_another_collection(
    mongo: LocalMongo, place: Place, foreign: list[tuple[str, str]], user: str
) -> None:
    with Client(login(mongo, user, place.database)) as client:
        allowed = [
            (privilege, database, name)
            for database, name in foreign
            for privilege, attempt in ATTEMPTS.items()
            if not is_refused(lambda: attempt(client[database], name))  # noqa: B023 - called at once
        ]
        allowed += [
            (privilege, database, "")
            for database in (place.database, f"{place.database}_other", "admin", "local")
            for privilege, on_database in ON_THE_DATABASE.items()
            if not is_refused(lambda: on_database(client[database]))  # noqa: B023 - called at once
        ]
    assert allowed == []


@pytest.mark.parametrize("user", ROLES)
def test_on_its_own_collections_a_role_may_what_it_says(
    mongo: LocalMongo, admin: Client, user: str, tmp_path: Path
) -> None:
    name = "tokens_actions"
    create_roles(mongo.admin_uri, name, tmp_path)
    admin[name].command("createUser", user, pwd=PASSWORD, roles=ROLES[user])
    actions = set().union(*(ACTIONS[role] for role in ROLES[user]))
    try:
        with Client(login(mongo, user, name)) as client:
            for collection in COLLECTIONS:
                admin[name][collection].insert_one({"_id": 1})
                admin[name][collection].create_index("field")
                allowed = {
                    privilege
                    for privilege, attempt in ATTEMPTS.items()
                    if not is_refused(lambda: attempt(client[name], collection))  # noqa: B023
                }
                assert allowed == actions, collection
    finally:
        admin[name].command("dropAllUsersFromDatabase")
        admin[name].command("dropAllRolesFromDatabase")
        admin.drop_database(name)


def granted(admin: Client, database: str) -> dict[str, dict[str, set[str]]]:
    """The actions by collection that each role of a database has."""
    roles = admin[database].command("rolesInfo", 1, showPrivileges=True)["roles"]
    return {
        role["role"]: {
            one["resource"]["collection"]: set(one["actions"]) for one in role["privileges"]
        }
        for role in roles
    }


def test_roles_that_exist_lose_what_is_too_much(
    mongo: LocalMongo, admin: Client, tmp_path: Path
) -> None:
    """By a user who may create roles there and nothing else, and is asked for the password."""
    name = "tokens_command"
    everything = {"resource": {"db": name, "collection": ""}, "actions": ["dropDatabase"]}
    admin[name].command("createRole", "zohoTokenStore", privileges=[everything], roles=["dbOwner"])
    admin[name].command("createUser", ROLE_ADMIN, pwd=PASSWORD, roles=["userAdmin"])
    uri = login(mongo, ROLE_ADMIN, name, password=None)

    for results in (["changed", "created"], ["unchanged", "unchanged"]):
        said = create_roles(uri, name, tmp_path, "--collection=mine", input=f"{PASSWORD}\n")

        assert said.errors == f"Password of {ROLE_ADMIN}: \n"
        assert said.output.splitlines()[:2] == [
            f"{name}.{role}: {result}" for role, result in zip(ACTIONS, results, strict=True)
        ]
        assert granted(admin, name) == {
            role: dict.fromkeys(("mine", "mine.leases", "__keyVault"), actions)
            for role, actions in ACTIONS.items()
        }
        assert admin[name].command("rolesInfo", "zohoTokenStore")["roles"][0]["roles"] == []
    # The commands for mongosh, run here.
    users = re.findall(r'createUser\({user: "(\w+)", pwd: .*, roles: \["(\w+)"]}\)', said.output)
    assert dict(users) == {"app": "zohoTokenStore", "deploy": "zohoTokenStoreDeploy"}
    assert f"use {name}\n" in said.output
    admin[name].command("dropAllUsersFromDatabase")
    admin[name].command("dropAllRolesFromDatabase")


def test_a_missing_and_a_wrong_password_are_one_line(mongo: LocalMongo, tmp_path: Path) -> None:
    uri = login(mongo, ROLE_ADMIN, "admin", password=None)
    cli = CommandLine({"ZOHO_MONGO_URI": uri}, tmp_path)
    nobody = cli("create-roles", input="")
    assert nobody.status == 1
    assert nobody.errors.endswith(
        "zoho-mongo-store create-roles: the URI names a user without a password, and none was "
        "given\n"
    )
    wrong = cli("create-roles", input="hunter2@/\n")
    assert (wrong.status, wrong.errors.count("\n")) == (1, 2)
    assert "hunter2" not in wrong.errors
