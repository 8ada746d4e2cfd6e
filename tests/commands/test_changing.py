"""``init``, ``delete``, ``purge`` and ``revoke``."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.commands.conftest import CommandLine
from tests.engines import SERVERS
from tests.tokens import full, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.storage.token_indexes import LEASE_INDEXES, TOKEN_INDEXES
from zoho_mongo_store.testing import LoopbackZoho

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

Tokens = Collection[dict[str, Any]]
NAMES = {f"{index.field}_1" for index in TOKEN_INDEXES}
BOTH = {*NAMES, *(f"leases.{index.field}_1" for index in LEASE_INDEXES)}


def test_init_says_what_it_made_and_what_stood(cli: CommandLine, tokens: Tokens) -> None:
    assert {tuple(row) for row in cli("init").rows} == {(name, "created") for name in BOTH}
    assert set(tokens.index_information()) == {*NAMES, "_id_"}
    assert {tuple(row) for row in cli("init").rows} == {(name, "existed already") for name in BOTH}
    assert {tuple(one.values()) for one in cli("init", "--json").json} == {
        (name, "unchanged") for name in BOTH
    }


def test_init_keeps_the_ttl_unless_told_otherwise(cli: CommandLine, tokens: Tokens) -> None:
    def ttl() -> object:
        return tokens.index_information().get("updated_at_1", {}).get("expireAfterSeconds")

    assert ["updated_at_1", "created"] in cli("init", "--expire-idle-after", "90d").rows
    assert ttl() == 90 * 86400
    assert ["updated_at_1", "existed already"] in cli("init").rows
    assert ["updated_at_1", "changed"] in cli("init", "--expire-idle-after", "1w").rows
    assert ttl() == 7 * 86400
    assert ["updated_at_1", "dropped"] in cli("init", "--keep-idle").rows
    assert ttl() is None


def test_init_names_what_is_in_the_way(cli: CommandLine, tokens: Tokens) -> None:
    tokens.create_index("refresh_token", name="mine", unique=True)

    result = cli("init")
    assert result.status == 1
    assert result.errors.startswith("zoho-mongo-store init: the index mine on refresh_token confli")
    assert result.errors.count("\n") == 1
    results = dict(result.rows)
    assert results["id_1"] == results["user_name_1"] == "missing"
    assert results["refresh_token_1"] == "conflicts, see below"
    assert "mine" in tokens.index_information()


def test_init_as_installed(cli: CommandLine, tokens: Tokens) -> None:
    finished = cli.installed("init")
    assert (finished.status, finished.errors) == (0, "")
    assert set(tokens.index_information()) == {*NAMES, "_id_"}


def test_delete_by_ids_and_by_user(
    cli: CommandLine, tokens: Tokens, own_store: MongoTokenStore
) -> None:
    for n in range(4):
        own_store.save_token(make_token(id=str(n), user_name=f"u{n}", access_token=f"A{n}"))

    finished = cli.installed("delete", "0", "unknown", "1", "--yes")
    assert finished.status == 1
    assert finished.output == "deleted id 0\ndeleted id 1\n"
    assert finished.errors == "zoho-mongo-store delete: not stored: id unknown\n"
    assert tokens.distinct("id") == ["2", "3"]
    assert cli("delete", "--user", "u2", "--yes") == (0, "deleted user u2\n", "")
    result = cli("delete", "3", "4", "--json", "--yes")
    assert result.status == 1
    assert result.json == {"deleted": [{"id": "3"}], "not_stored": [{"id": "4"}]}
    assert tokens.count_documents({}) == 0


def test_delete_asks_first(cli: CommandLine, tokens: Tokens, own_store: MongoTokenStore) -> None:
    own_store.save_token(full(id="1"))
    question = "Delete id 1? [y/N] "

    assert cli("delete", "1", input="n\n") == (
        1,
        "",
        f"{question}\nzoho-mongo-store delete: nothing was done\n",
    )
    nobody = cli.installed("delete", "1")
    assert (nobody.status, nobody.output) == (1, "")
    assert nobody.errors.splitlines() == [
        question,
        "zoho-mongo-store delete: nothing was done: answer y, or give --yes",
    ]
    assert tokens.count_documents({}) == 1
    assert "?" not in cli("delete", "unknown").errors

    assert cli("delete", "1", input="Yes\n") == (0, "deleted id 1\n", f"{question}\n")
    assert tokens.count_documents({}) == 0


@pytest.fixture
def idle(own_store: MongoTokenStore, tokens: Tokens) -> None:
    """Tokens that were saved 0, 10, 20, 30, 40 and 50 days ago."""
    for n in range(6):
        own_store.save_token(make_token(id=str(n), user_name=f"u{n}", access_token=f"A{n}"))
        saved = datetime.now(UTC) - timedelta(days=10 * n)
        tokens.update_one({"id": str(n)}, {"$set": {"updated_at": saved}})


@pytest.mark.usefixtures("idle")
def test_purge_asks_first(cli: CommandLine, tokens: Tokens) -> None:
    refused = cli("purge", "--idle-for", "25d", input="n\n")
    assert refused.status == 1
    assert refused.errors == "Delete 3 tokens? [y/N] \nzoho-mongo-store purge: nothing was done\n"
    assert [row[1] for row in refused.rows] == ["3", "4", "5"]
    assert cli("purge", "--idle-for", "25d", input="").status == 1
    assert tokens.count_documents({}) == 6

    assert cli("purge", "--idle-for", "25d", input="y\n").status == 0
    assert tokens.distinct("id") == ["0", "1", "2"]


@pytest.mark.usefixtures("idle")
def test_purge_without_a_question(cli: CommandLine, tokens: Tokens) -> None:
    tried = cli("purge", "--idle-for", "45d", "--dry-run")
    assert (tried.status, [row[1] for row in tried.rows]) == (0, ["5"])
    assert "1 token would be deleted" in tried.output
    assert tokens.count_documents({}) == 6
    finished = cli.installed("purge", "--idle-for", "45d", "--yes")
    assert (finished.status, finished.output, finished.errors) == (0, "1 token deleted\n", "")
    result = cli("purge", "--idle-for", "2w", "--yes", "--json")
    assert ([one["id"] for one in result.json["idle"]], result.json["deleted"]) == (
        ["2", "3", "4"],
        3,
    )
    assert tokens.distinct("id") == ["0", "1"]
    assert "0 tokens deleted" in cli("purge", "--idle-for", "2w").output


@pytest.mark.usefixtures("idle")
def test_purge_asks_the_database_for_what_is_idle(cli: CommandLine, tokens: Tokens) -> None:
    database = tokens.database
    database.command("profile", 2)
    try:
        assert cli("purge", "--idle-for", "45d", "--dry-run").rows[0][1] == "5"
        assert cli("purge", "--idle-for", "45d", "--yes").status == 0
    finally:
        database.command("profile", 0)
    sent = list(database["system.profile"].find({"ns": tokens.full_name}))
    # Without a question it is not even read.
    assert [(one["op"], one.get("nreturned"), one.get("ndeleted")) for one in sent] == [
        ("query", 1, None),
        ("remove", None, 1),
    ]


def stored_login(store: MongoTokenStore, zoho: LoopbackZoho, **changes: Any) -> tuple[str, str]:
    """A stored token of the loopback Zoho's: its id and its refresh token."""
    refresh_token = zoho.refresh_token()
    token = full(refresh_token=refresh_token, **changes)
    store.save_token(token)
    return token.get_id() or "", refresh_token


def test_revoke_ends_the_token_at_zoho_and_here(
    cli: CommandLine, tokens: Tokens, own_store: MongoTokenStore, zoho: LoopbackZoho
) -> None:
    id, refresh_token = stored_login(own_store, zoho)
    access_token = zoho.access_token(refresh_token)

    asked = cli("revoke", id, "--accounts-url", zoho.url, input="n\n")
    assert asked.status == 1
    host = zoho.url.removeprefix("http://")
    assert asked.errors.startswith(f"Revoke the refresh token of id {id} at {host}, and delete it")
    assert zoho.count("revoke") == 0
    assert tokens.count_documents({}) == 1

    finished = cli.installed("revoke", id, "--accounts-url", zoho.url, "--yes")

    assert (finished.status, finished.errors) == (0, "")
    assert id in finished.output
    assert refresh_token not in finished.output
    assert zoho.count("revoke", refresh_token) == 1
    assert not zoho.is_live(access_token)
    assert tokens.count_documents({}) == 0


def test_revoke_by_user(
    cli: CommandLine, tokens: Tokens, own_store: MongoTokenStore, zoho: LoopbackZoho
) -> None:
    id, _ = stored_login(own_store, zoho, user_name="ada")
    result = cli("revoke", "--user", "ada", "--accounts-url", zoho.url, "--yes", "--json")
    host = zoho.url.removeprefix("http://")
    assert (result.status, result.json) == (0, {"id": id, "user": "ada", "revoked_at": host})
    assert tokens.count_documents({}) == 0


@pytest.mark.parametrize(
    "url", ["notaurl", "accounts.zoho.eu", "ftp://x", "https://", "http://x:y"]
)
def test_what_is_no_url_is_wrong_usage(cli: CommandLine, url: str) -> None:
    result = cli("revoke", "1", "--accounts-url", url)
    assert result.status == 2
    assert result.errors.startswith(
        "zoho-mongo-store revoke: --accounts-url must be a URL such as https://accounts.zoho.eu, "
        f"not '{url}'\n"
    )


def test_a_token_that_zoho_does_not_revoke_stays(
    cli: CommandLine, tokens: Tokens, own_store: MongoTokenStore, zoho: LoopbackZoho
) -> None:
    own_store.save_token(full(id="1", refresh_token="R-secret"))

    refused = cli("revoke", "1", "--accounts-url", f"{zoho.url}/oauth/v2/token", "--yes")
    away = cli("revoke", "1", "--accounts-url", "http://127.0.0.1:1", "--yes")

    assert (refused.status, away.status) == (1, 1)
    assert refused.errors.startswith("zoho-mongo-store revoke: Zoho did not revoke it (status ")
    assert away.errors.startswith("zoho-mongo-store revoke: Zoho cannot be reached at http://127.0")
    assert away.errors.endswith(": Connection refused; the token stays stored\n")
    assert "R-secret" not in refused.errors + away.errors
    assert zoho.count("revoke") == 1
    assert tokens.count_documents({}) == 1


def test_what_cannot_be_revoked_is_told(cli: CommandLine, own_store: MongoTokenStore) -> None:
    own_store.save_token(full(id="1"))
    own_store.save_token(make_token(id="2", access_token="A"))
    unknown_centre = cli("revoke", "1")
    assert (unknown_centre.status, "give --accounts-url" in unknown_centre.errors) == (1, True)
    assert "no refresh token to revoke" in cli("revoke", "2").errors
    assert "no token has the id 3" in cli("revoke", "3").errors


@pytest.mark.parametrize(
    ("api_domain", "server"),
    [
        ("https://www.zohoapis.com", "accounts.zoho.com"),
        ("https://www.zohoapis.eu", "accounts.zoho.eu"),
        ("https://sandbox.zohoapis.in", "accounts.zoho.in"),
    ],
)
def test_revoke_goes_to_the_tokens_data_centre(
    cli: CommandLine,
    own_store: MongoTokenStore,
    api_domain: str,
    server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import requests

    own_store.save_token(full(id="1", refresh_token="R", api_domain=api_domain))
    sent: list[tuple[str, dict[str, Any]]] = []

    def post(url: str, **options: Any) -> None:
        sent.append((url, options))
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "post", post)
    cli("revoke", "1", "--yes")

    [(url, options)] = sent
    assert url == f"https://{server}/oauth/v2/token/revoke"
    assert options["data"] == {"token": "R"}
    assert options["timeout"] > 0
    assert options["allow_redirects"] is False
