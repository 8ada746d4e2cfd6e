"""``list`` and ``show``: whose tokens there are, in which state, and never a secret."""

import cProfile
import pstats
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.commands.conftest import CommandLine
from tests.commands.states import (
    DEAD,
    begin_refresh,
    cool_down,
    end_login,
    reach_limit,
)
from tests.engines import SERVERS
from tests.tokens import CLIENT, full, make_token
from tests.transfer.sources import in_hours
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.model.token import to_document
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


@pytest.fixture
def all_states(own_store: MongoTokenStore, tokens: Tokens) -> None:
    hours = {"valid": 0.75, "past": -1, "busy": -1, "cool": -1, "endless": None}
    for user, left in {**hours, "dead": -1, "much": 0.5}.items():
        own_store.save_token(secret_token(user, left))
    own_store.save_token(
        make_token(user_name="new", grant_token="grant-secret new", api_domain="other", **CLIENT)
    )
    begin_refresh(tokens, "busy")
    begin_refresh(tokens, "past", ago=3600)
    cool_down(tokens, "cool", "too many")
    reach_limit(tokens, "much")
    end_login(tokens, "dead", ago=7200)


STATES = {
    "valid": "valid",
    "past": "expired",
    "busy": "refreshing",
    "cool": "cooling down",
    "endless": "valid",
    "new": "no access token",
    "dead": "login required",
    "much": "at Zoho's limit",
}


@pytest.mark.usefixtures("all_states")
def test_every_state_is_told_line_by_line(cli: CommandLine, tokens: Tokens) -> None:
    result = cli("list")

    assert (result.status, result.errors) == (0, "")
    assert [row[0] for row in result.rows] == sorted(STATES)
    rows = {row[0]: row[1:] for row in result.rows}
    assert {user: row[1] for user, row in rows.items()} == STATES
    assert {row[0] for row in rows.values()} == set(tokens.distinct("id"))
    assert {row[3] for user, row in rows.items() if user != "new"} == {"EU"}
    assert rows["new"][3] == "other"
    assert seconds_since(rows["dead"][5]) == pytest.approx(7200, abs=60)
    assert rows["dead"][6] == DEAD
    assert seconds_since(rows["cool"][2]) == pytest.approx(-300, abs=60)
    assert rows["cool"][6] == "too many"
    assert seconds_since(rows["much"][2]) == pytest.approx(-620, abs=60)
    assert seconds_since(rows["much"][5]) == pytest.approx(10, abs=60)
    assert "10 times in 10 minutes" in rows["much"][6]
    assert seconds_since(rows["valid"][2]) == pytest.approx(-2700, abs=60)
    assert rows["valid"][5:] == ["", ""]
    assert result.output.count("\n") == len(STATES)
    # However wide the terminal is that the pipe began in, if it did.
    assert cli("list", COLUMNS="20").output == result.output
    assert not any(secret in result.output for secret in SECRETS)


def seconds_since(moment: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()


@pytest.mark.usefixtures("all_states")
def test_json_tells_the_same(cli: CommandLine, tokens: Tokens) -> None:
    result = cli("list", "--json")

    found = {one["user"]: one for one in result.json}
    assert {user: one["state"] for user, one in found.items()} == STATES
    assert 2500 < found["valid"]["valid_for"] <= 2700
    assert (found["past"]["valid_for"], found["endless"]["valid_for"]) == (0, None)
    assert {one["id"] for one in found.values()} == set(tokens.distinct("id"))
    assert datetime.fromisoformat(found["valid"]["updated_at"]).tzinfo is not None
    assert found["dead"]["reason"] == DEAD
    assert seconds_since(found["dead"]["since"]) == pytest.approx(7200, abs=60)
    assert found["dead"]["retry_after"] is None
    assert found["cool"]["reason"] == "too many"
    assert seconds_since(found["much"]["retry_after"]) < -590
    assert (found["valid"]["reason"], found["valid"]["since"]) == (None, None)
    assert not any(secret in result.output for secret in SECRETS)


def test_another_login_is_not_told_of_the_last_ones_failure(
    cli: CommandLine, own_store: MongoTokenStore, tokens: Tokens
) -> None:
    for user in ("ada", "grace"):
        own_store.save_token(secret_token(user, 1))
    cool_down(tokens, "ada", "too many")
    end_login(tokens, "grace")
    assert len(cli("list", "--failed").rows) == 2
    # As a save leaves it that ends before it has removed what is said of the last login.
    tokens.update_many({}, {"$set": {"refresh_token": "another-secret"}})

    assert cli("list", "--failed").rows == []
    assert {row[2] for row in cli("list").rows} == {"valid"}


def test_a_grant_token_that_failed_says_nothing_of_a_refresh_token(
    cli: CommandLine, own_store: MongoTokenStore, tokens: Tokens
) -> None:
    own_store.save_token(secret_token("ada", 1))
    own_store.save_token(make_token(user_name="grace", grant_token="G", **CLIENT))
    for user in ("ada", "grace"):
        cool_down(tokens, user, "no", credential="grant_token")

    assert [row[0] for row in cli("list", "--failed").rows] == ["grace"]


def test_a_login_is_over_by_its_lease_alone(
    cli: CommandLine, own_store: MongoTokenStore, tokens: Tokens
) -> None:
    """As it is where MongoDB did not let the token be marked."""
    own_store.save_token(secret_token("ada", -1))
    own_store.save_token(secret_token("grace", -1))
    cool_down(tokens, "ada", DEAD, is_over=True)
    cool_down(tokens, "grace", "too many")
    [[user, _, state, *_, reason]] = cli("list", "--login-required").rows
    assert (user, state, reason) == ("ada", "login required", DEAD)


@pytest.mark.usefixtures("all_states")
@pytest.mark.parametrize(
    ("options", "users"),
    [
        (["--user", "past"], {"past"}),
        (["--expired"], {"past", "busy", "cool", "dead"}),
        (["--expiring-in", "29m"], {"past", "busy", "cool", "dead"}),
        (["--expiring-in", "46m"], {"valid", "past", "busy", "cool", "dead", "much"}),
        (["--user", "valid", "--expired"], set()),
        (["--failed"], {"cool", "dead", "much"}),
        (["--failed", "--expired"], {"cool", "dead"}),
        (["--login-required"], {"dead"}),
        (["--user", "dead", "--login-required"], {"dead"}),
        (["--user", "cool", "--login-required"], set()),
        (["--user", "cool", "--failed"], {"cool"}),
        (["--user", "valid", "--failed"], set()),
    ],
)
def test_the_list_can_be_narrowed(cli: CommandLine, options: list[str], users: set[str]) -> None:
    result = cli("list", "--json", *options)
    assert (result.status, {one["user"] for one in result.json}) == (0, users)


@pytest.mark.usefixtures("all_states")
@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("state", ["dead", "much", "cool", "new"]),
        ("expiry", ["busy", "cool", "dead", "past", "much", "valid"]),
        ("saved", ["new", "much", "dead", "endless"]),
        ("user", ["busy", "cool", "dead"]),
    ],
)
def test_the_order_can_be_chosen(cli: CommandLine, order: str, first: list[str]) -> None:
    limited = ("--sort", order, "--limit", str(len(first)))
    listed = cli("list", *limited)
    assert {row[0] for row in listed.rows} == set(first)
    assert [one["user"] for one in cli("list", "--json", *limited).json] == [
        row[0] for row in listed.rows
    ]
    if order != "expiry":
        assert [row[0] for row in listed.rows] == first


@pytest.fixture
def twins(own_store: MongoTokenStore, tokens: Tokens) -> None:
    """Two names for each login: what Zoho refuses to one it refuses to the other."""
    for login in ("cool", "much", "dead", "well"):
        own_store.save_token(secret_token(login, -1))
        twin = secret_token(f"{login} twin", -1)
        twin.set_refresh_token(f"refresh-secret {login}")
        twin.set_id(f"twin of {login}")
        tokens.insert_one({**to_document(twin), "updated_at": datetime.now(UTC)})
    cool_down(tokens, "cool", "too many")
    reach_limit(tokens, "much")
    end_login(tokens, "dead", ago=7200)


TWINS = {
    "cool": ("cooling down", "too many"),
    "much": ("at Zoho's limit", "Zoho was asked 10 times in 10 minutes, which is its limit"),
    "dead": ("login required", DEAD),
}


@pytest.mark.usefixtures("twins")
def test_tokens_of_one_credential_fail_together(cli: CommandLine) -> None:
    both = {f"{user}{name}": told for user, told in TWINS.items() for name in ("", " twin")}
    listed = {row[0]: (row[2], row[7]) for row in cli("list").rows}
    assert listed == {**both, "well": ("expired", ""), "well twin": ("expired", "")}
    assert {row[0]: (row[2], row[7]) for row in cli("list", "--failed").rows} == both
    dead = [row[0] for row in cli("list", "--login-required").rows]
    assert dead == ["dead", "dead twin"]
    for user, (state, reason) in both.items():
        shown = cli("show", "--user", user, "--json").json
        assert (shown["state"], shown["reason"]) == (state, reason)
    details = {row[1]: row[2] for row in cli("doctor").rows}
    assert details["logins"] == "2 users must log in again: dead, dead twin"
    assert details["cool-down"].startswith("2 tokens cooling down: cool for 4 min (too many), ")
    assert details["Zoho's limit"].startswith("2 tokens at Zoho's limit: much for ")
    watched = cli("watch", "--count", "1").output
    assert all(user in watched for user in both)


@pytest.mark.usefixtures("twins")
def test_they_are_found_by_an_index(cli: CommandLine, tokens: Tokens) -> None:
    tokens.database.command("profile", 2)
    try:
        assert len(cli("list", "--failed").rows) == 6
    finally:
        tokens.database.command("profile", 0)
    finds = list(tokens.database["system.profile"].find({"ns": tokens.full_name, "op": "query"}))
    assert finds
    assert not [one for one in finds if "COLLSCAN" in one["planSummary"]]


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
    assert (fields["reason"], fields["data_centre"]) == ("too many", "EU")
    assert fields["state"].startswith("cooling down for ")
    shown = cli("show", id, "--json")
    assert (shown.json["state"], shown.json["reason"]) == ("cooling down", "too many")
    assert seconds_since(shown.json["since"]) < 600
    assert seconds_since(shown.json["retry_after"]) < 0
    dead = cli("show", "--user", "dead", "--json").json
    assert (dead["state"], dead["reason"]) == ("login required", DEAD)
    assert not any(name.startswith("login_required") for name in dead)
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
    [[user, id, state, *_, reason]] = result.rows
    assert (user, id, state) == ("ada", "1", "damaged")
    assert reason.startswith("the document ObjectId")
    assert "its refresh_token is of type int" in reason
    assert cli("show", "1").status == 0


def test_a_name_cannot_move_the_cursor(cli: CommandLine, own_store: MongoTokenStore) -> None:
    own_store.save_token(secret_token("\x1b[2Jada[red]\n", 1))
    result = cli("list")
    assert "\x1b" not in result.output
    assert r"\x1b[2Jada[red]\n" in result.output


def calls_of_a_list(cli: CommandLine, number: int) -> int:
    """How many functions are called to list so many tokens."""
    profile = cProfile.Profile()
    assert len(profile.runcall(cli, "list").rows) == number
    calls: int = pstats.Stats(profile).total_calls  # type: ignore[attr-defined]
    return calls


def test_each_token_costs_little(
    cli: CommandLine, tokens: Tokens, own_store: MongoTokenStore
) -> None:
    """Counted in calls, of which every machine makes the same number."""
    cli("list")
    without = calls_of_a_list(cli, 0)
    own_store.save_token(secret_token("ada", 1))
    stored = tokens.find_one({}, {"_id": False, "id": False, "user_name": False})
    assert stored is not None
    tokens.insert_many({**stored, "id": f"{n}", "user_name": f"u{n}"} for n in range(999))
    assert calls_of_a_list(cli, 1000) - without < 1000 * 220


@pytest.mark.usefixtures("all_states")
def test_the_installed_command_in_a_pipe(cli: CommandLine) -> None:
    finished = cli.installed("list")
    assert (finished.status, finished.errors) == (0, "")
    assert "\x1b" not in finished.output
    assert [line.count("\t") for line in finished.output.splitlines()] == [7] * len(STATES)
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
        ["list", "--uri", "localhost"],
        ["list", "--database", "a.b"],
        ["list", "--collection", "$x"],
    ],
)
def test_wrong_usage_is_status_2(cli: CommandLine, arguments: list[str]) -> None:
    result = cli(*arguments)
    assert result.status == 2
    assert "Traceback" not in result.errors
