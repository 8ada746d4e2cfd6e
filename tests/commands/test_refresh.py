"""``refresh`` and ``expire``: by the rules of the fleet, on a loopback Zoho."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.commands.conftest import CommandLine, Result
from tests.engines import SERVERS, Engine
from tests.refresh.callers import CLIENT
from tests.refresh.moved_documents import let_time_pass
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LoopbackZoho
from zoho_mongo_store.testing.zoho.protocol import Failure

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

Tokens = Collection[dict[str, Any]]
Document = dict[str, Any]
HOUR = timedelta(hours=1)


@pytest.fixture
def refresh_token(own_store: MongoTokenStore, zoho: LoopbackZoho) -> str:
    """Of the one stored token, whose user is ada and whose id is 1; it is valid for a while."""
    granted = zoho.refresh_token()
    later = str(int((datetime.now(UTC) + timedelta(minutes=20)).timestamp() * 1000))
    token = make_token(
        id="1",
        user_name="ada",
        refresh_token=granted,
        access_token="A-before",
        expires_in=later,
        **CLIENT,
    )
    own_store.save_token(token)
    return granted


@pytest.fixture
def refresh(cli: CommandLine, zoho: LoopbackZoho) -> Callable[..., Result]:
    """The command on the loopback Zoho."""
    return lambda *arguments: cli("refresh", *arguments, "--accounts-url", zoho.url)


def stored(tokens: Tokens) -> Document:
    (document,) = tokens.find()
    return document


def test_a_new_access_token_as_installed(
    cli: CommandLine, tokens: Tokens, zoho: LoopbackZoho, refresh_token: str
) -> None:
    finished = cli.installed("refresh", "--user", "ada", "--accounts-url", zoho.url)

    assert (finished.status, finished.errors) == (0, "")
    assert finished.output.startswith("user ada: refreshed, valid for 59 min, until 20")
    assert zoho.count("refresh", refresh_token) == 1
    access_token = stored(tokens)["access_token"]
    assert zoho.is_live(access_token)
    assert not any(secret in finished.output for secret in (refresh_token, access_token))


@pytest.mark.usefixtures("refresh_token")
def test_in_json(refresh: Callable[..., Result], tokens: Tokens) -> None:
    result = refresh("1", "--json")
    assert (result.status, result.errors) == (0, "")
    expiry = stored(tokens)["expiry_time"]
    told = result.json
    assert told.pop("expires_at").startswith(expiry.isoformat()[:23])
    assert told == {
        "id": "1",
        "user": "ada",
        "result": "refreshed",
        "reason": None,
        "since": None,
        "retry_after": None,
    }


@pytest.mark.usefixtures("refresh_token")
def test_two_at_once_ask_zoho_once(cli: CommandLine, zoho: LoopbackZoho) -> None:
    zoho.configure(delay=2)
    with ThreadPoolExecutor(2) as pool:
        command = ("refresh", "1", "--accounts-url", zoho.url, "--json")
        both = list(pool.map(lambda _: cli.installed(*command), range(2)))
    assert [one.status for one in both] == [0, 0]
    assert zoho.count("refresh") == 1
    said = sorted(
        word for one in both for word in ("by another", '"refreshed"') if word in one.output
    )
    assert said == ['"refreshed"', "by another"]


def test_a_dead_login_is_told_and_not_asked_for_again(
    refresh: Callable[..., Result],
    cli: CommandLine,
    tokens: Tokens,
    zoho: LoopbackZoho,
    refresh_token: str,
    engine: Engine,
    database: str,
) -> None:
    zoho.revoke(refresh_token)
    first = refresh("1")
    assert (first.status, first.output) == (1, "")
    assert first.errors.startswith("zoho-mongo-store refresh: id 1: refused: ")
    assert "the user has ended the access, or belongs to another data centre" in first.errors
    paused = refresh("1", "--json")
    assert (paused.status, paused.json["result"]) == (1, "cooling down")
    assert paused.json["since"] < paused.json["retry_after"]
    assert zoho.count("refresh") == 1

    let_time_pass(engine.client, database, timedelta(seconds=61))
    confirmed = refresh("1")
    assert "id 1: login required since 20" in confirmed.errors
    assert "the user has to log in again" in confirmed.errors
    let_time_pass(engine.client, database, HOUR)
    again = refresh("1", "--json")
    assert (again.status, again.json["result"]) == (1, "login required")
    assert again.json["since"] is not None
    assert zoho.count("refresh") == 2
    assert stored(tokens)["access_token"] == "A-before"

    assert cli("expire", "1").status == 0
    refresh("1")
    assert zoho.count("refresh") == 3


@pytest.mark.usefixtures("refresh_token")
def test_a_zoho_that_is_away(cli: CommandLine) -> None:
    result = cli("refresh", "1", "--accounts-url", "http://127.0.0.1:1")
    assert result.status == 1
    assert re.fullmatch(
        r"zoho-mongo-store refresh: id 1: Zoho cannot be reached: "
        r"Connection refused; Zoho is asked again in 1 s\n",
        result.errors,
    )


@pytest.mark.usefixtures("refresh_token")
@pytest.mark.parametrize(
    ("failure", "told"),
    [
        ("close", "Zoho cannot be reached: Remote end closed connection without response"),
        ("reset", "Zoho cannot be reached: Connection reset by peer"),
        ("garbage", "Zoho cannot be reached: Zoho's answer is not JSON (HTTP status 200)"),
        ("throttle", "refused: Access Denied"),
    ],
)
def test_why_there_is_no_token_is_told(
    refresh: Callable[..., Result], zoho: LoopbackZoho, failure: Failure, told: str
) -> None:
    zoho.configure(failure=failure)
    result = refresh("1")
    assert (result.status, result.output) == (1, "")
    assert result.errors.startswith(
        f"zoho-mongo-store refresh: id 1: {told}; Zoho is asked again in "
    )


def test_what_cannot_be_refreshed_is_told(cli: CommandLine, own_store: MongoTokenStore) -> None:
    own_store.save_token(make_token(id="2", access_token="A"))
    own_store.save_token(make_token(id="3", refresh_token="R", **CLIENT))
    assert "id 2 has no refresh token: the user has to log in" in cli("refresh", "2").errors
    assert "give --accounts-url" in cli("refresh", "3").errors
    assert "no token has the id 4" in cli("refresh", "4").errors
    assert cli("refresh", "2", "--accounts-url", "notaurl").status == 2
    assert cli("refresh").status == 2


@pytest.mark.usefixtures("refresh_token")
def test_expire(cli: CommandLine, tokens: Tokens) -> None:
    finished = cli.installed("expire", "--user", "ada")
    assert (finished.status, finished.errors) == (0, "")
    assert finished.output == "expired: user ada; the next use refreshes it\n"
    assert stored(tokens)["access_token"] == "A-before"
    (listed,) = cli("list", "--json").json
    assert listed["state"] == "expired"
    assert cli("expire", "1", "--json").json["user"] == "ada"
    assert cli("expire", "2").errors == "zoho-mongo-store expire: no token has the id 2\n"


def test_nothing_to_expire(cli: CommandLine, own_store: MongoTokenStore) -> None:
    own_store.save_token(make_token(id="2", refresh_token="R"))
    assert (cli("expire", "2").status, "no access token" in cli("expire", "2").errors) == (1, True)
