"""``list`` and ``show``: whose tokens there are, in which state, and never a secret."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.commands.conftest import CommandLine
from tests.engines import SERVERS
from tests.tokens import CLIENT, full, make_token
from tests.transfer.sources import in_hours
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.refresh.lease import Failure, lease_key
from zoho_mongo_store.sdk import OAuthToken

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

SECRETS = ("refresh-secret", "access-secret", "grant-secret", "client-secret")
Tokens = Collection[dict[str, Any]]


def secret_token(user: str, hours: float | None, **changes: Any) -> OAuthToken:
    return full(
        user_name=user,
        refresh_token=f"refresh-secret {user}",
        access_token=f"access-secret {user}",
        grant_token=f"grant-secret {user}",
        expires_in=None if hours is None else in_hours(hours),
        **{"api_domain": "https://www.zohoapis.eu", **changes},
    )


def lease(tokens: Tokens, user: str, **fields: Any) -> None:
    now = datetime.now(UTC)
    key = lease_key("refresh_token", f"refresh-secret {user}")
    tokens.database["oauthtoken.leases"].insert_one(
        {
            "_id": key,
            "until": now,
            "cooling_until": now,
            "purge_at": now + timedelta(hours=1),
            "requests": [now],
            **fields,
        }
    )


def failed(until: datetime, message: str) -> dict[str, Any]:
    """What a lease remembers of a request that Zoho refused."""
    failure = Failure("INVALID", message, refused=True)
    return {**failure._asdict(), "until": until, "count": 1, "owner": "x", "at": until}


@pytest.fixture
def all_states(own_store: MongoTokenStore, tokens: Tokens) -> None:
    now = datetime.now(UTC)
    later = now + timedelta(seconds=50)
    for user, hours in {"valid": 0.75, "past": -1, "busy": -1, "cool": -1, "endless": None}.items():
        own_store.save_token(secret_token(user, hours))
    own_store.save_token(
        make_token(user_name="new", grant_token="grant-secret new", api_domain="other", **CLIENT)
    )
    lease(tokens, "busy", owner="somebody", until=later)
    lease(tokens, "cool", cooling_until=later, failures={"0": failed(later, "too many")})
    lease(tokens, "past", until=now - timedelta(hours=1), owner="dead")


@pytest.mark.usefixtures("all_states")
def test_every_state_is_told(cli: CommandLine) -> None:
    result = cli("list")

    assert (result.status, result.errors) == (0, "")
    states = {user: (state, centre) for user, _, state, centre, _ in result.rows}
    assert states.pop("cool")[0].startswith("cooling down for ")
    assert states == {
        "valid": ("valid for 44 min", "EU"),
        "past": ("expired", "EU"),
        "busy": ("refreshing", "EU"),
        "endless": ("valid, expiry unknown", "EU"),
        "new": ("no access token", "other"),
    }
    assert "6 tokens" in result.output
    assert [row[0] for row in result.rows] == sorted(row[0] for row in result.rows)
    assert not any(secret in result.output for secret in SECRETS)


@pytest.mark.usefixtures("all_states")
def test_json_tells_the_same(cli: CommandLine, tokens: Tokens) -> None:
    result = cli("list", "--json")

    found = {one["user"]: one for one in result.json}
    assert {user: one["state"] for user, one in found.items()} == {
        "valid": "valid",
        "past": "expired",
        "busy": "refreshing",
        "cool": "cooling down",
        "endless": "valid",
        "new": "no access token",
    }
    assert 2500 < found["valid"]["valid_for"] <= 2700
    assert (found["past"]["valid_for"], found["endless"]["valid_for"]) == (0, None)
    assert {one["id"] for one in found.values()} == set(tokens.distinct("id"))
    assert datetime.fromisoformat(found["valid"]["updated_at"]).tzinfo is not None
    assert not any(secret in result.output for secret in SECRETS)


@pytest.mark.usefixtures("all_states")
@pytest.mark.parametrize(
    ("options", "users"),
    [
        (["--user", "past"], {"past"}),
        (["--expired"], {"past", "busy", "cool"}),
        (["--expiring-in", "44m"], {"past", "busy", "cool"}),
        (["--expiring-in", "46m"], {"valid", "past", "busy", "cool"}),
        (["--user", "valid", "--expired"], set()),
    ],
)
def test_the_list_can_be_narrowed(cli: CommandLine, options: list[str], users: set[str]) -> None:
    result = cli("list", "--json", *options)
    assert (result.status, {one["user"] for one in result.json}) == (0, users)


@pytest.mark.parametrize("command", ["list", "show"])
def test_an_unknown_user_is_an_error(cli: CommandLine, command: str) -> None:
    assert cli(command, "--user", "nobody") == (
        1,
        "",
        f"zoho-mongo-store {command}: no token has the user nobody\n",
    )


@pytest.mark.usefixtures("all_states")
def test_a_token_is_shown_by_its_user_too(cli: CommandLine) -> None:
    shown = cli("show", "--user", "cool", "--json").json
    assert shown == cli("show", shown["id"], "--json").json


@pytest.mark.usefixtures("all_states")
def test_a_token_is_shown_without_its_secrets(cli: CommandLine, tokens: Tokens) -> None:
    id = tokens.find_one({"user_name": "cool"})["id"]  # type: ignore[index]
    result = cli("show", id)

    fields = dict(result.rows)
    assert fields["user_name"] == "cool"
    assert fields["client_id"] == CLIENT["client_id"]
    for name in ("client_secret", "refresh_token", "access_token", "grant_token"):
        assert fields[name] == "(stored)"
    assert fields["last failure"] == "INVALID: too many"
    assert fields["data centre"] == "EU"
    shown = cli("show", id, "--json")
    assert shown.json["last_failure"] == {"code": "INVALID", "message": "too many"}
    assert shown.json["state"] == "cooling down"
    for output in (result.output, shown.output):
        assert not any(secret in output for secret in SECRETS)


def test_an_unknown_id_is_a_failure_of_one_line(cli: CommandLine) -> None:
    result = cli("show", "unknown")
    assert result == (1, "", "zoho-mongo-store show: no token has the id unknown\n")


def test_a_damaged_document_is_listed_as_such(cli: CommandLine, tokens: Tokens) -> None:
    tokens.insert_one(
        {"id": "1", "user_name": "ada", "refresh_token": 7, "secret": "access-secret"}
    )
    result = cli("list")
    [[user, id, state, *_]] = result.rows
    assert (user, id) == ("ada", "1")
    assert state.startswith("damaged: the document ObjectId")
    assert "its refresh_token is of type int" in state
    assert cli("show", "1").status == 0


def test_a_name_cannot_move_the_cursor(cli: CommandLine, own_store: MongoTokenStore) -> None:
    own_store.save_token(secret_token("\x1b[2Jada[red]\n", 1))
    result = cli("list")
    assert "\x1b" not in result.output
    assert r"\x1b[2Jada[red]\n" in result.output


@pytest.mark.usefixtures("all_states")
def test_the_installed_command_lists_in_80_columns_without_colour(cli: CommandLine) -> None:
    finished = cli.installed("list")
    assert (finished.status, finished.errors) == (0, "")
    assert "\x1b" not in finished.output
    assert {len(line) for line in finished.output.splitlines()[:-1]} == {80}
    shown = cli.installed("show", "unknown")
    assert (shown.status, shown.output) == (1, "")


def test_no_server_is_one_line_and_status_1(cli: CommandLine) -> None:
    finished = cli.installed("list", "--uri", "mongodb://ada:hunter2@127.0.0.1:1/")

    assert (finished.status, finished.output) == (1, "")
    assert finished.errors.startswith("zoho-mongo-store list: MongoDB cannot be reached")
    assert finished.errors.count("\n") == 1
    assert "hunter2" not in finished.errors
    assert "Traceback" not in finished.errors


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--expiring-in", "soon"],
        ["list", "--unknown"],
        ["show"],
        ["delete"],
        ["delete", "1", "--user", "ada"],
        ["purge"],
        ["import"],
        ["import", "filestore", "missing.csv"],
        ["export", "--format", "filestore"],
        ["export", "--renumber"],
        ["encrypt"],
        ["list", "--kms-providers", "missing.json"],
        ["init", "--keep-idle", "--expire-idle-after", "1d"],
    ],
)
def test_wrong_usage_is_status_2(cli: CommandLine, arguments: list[str]) -> None:
    result = cli(*arguments)
    assert result.status == 2
    assert "Traceback" not in result.errors
