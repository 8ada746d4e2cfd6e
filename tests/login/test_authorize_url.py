"""The address that a login begins at, and what a login cannot be made with."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from zoho_mongo_store import ZohoLogin
from zoho_mongo_store.login.scopes import USER_SCOPES

CLIENT: dict[str, Any] = {
    "client_id": "1000.CLIENT",
    "client_secret": "client-s3cret",
    "redirect_url": "https://portal.example/callback",
}


def query_of(url: str) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}


def test_asks_for_lasting_access() -> None:
    login = ZohoLogin(**CLIENT, scopes=[*USER_SCOPES, "ZohoCRM.modules.leads.READ"])

    url = login.authorize_url("s3cret")

    assert url.startswith("https://accounts.zoho.com/oauth/v2/auth?")
    assert query_of(url) == {
        "response_type": "code",
        "client_id": "1000.CLIENT",
        "scope": "ZohoCRM.users.READ,ZohoCRM.org.READ,ZohoCRM.modules.leads.READ",
        "redirect_uri": "https://portal.example/callback",
        "access_type": "offline",
        "prompt": "consent",
        "state": "s3cret",
    }


def test_prompt_and_login_hint() -> None:
    login = ZohoLogin(**CLIENT, data_center="eu")

    url = login.authorize_url("s3cret", prompt=None, login_hint="ada+crm@example.com")

    assert url.startswith("https://accounts.zoho.eu/oauth/v2/auth?")
    query = query_of(url)
    assert "prompt" not in query
    assert query["login_hint"] == "ada+crm@example.com"


def test_states_cannot_be_guessed() -> None:
    states = {ZohoLogin.new_state() for _ in range(100)}

    assert len(states) == 100
    assert min(map(len, states)) >= 43  # 256 bits in base64


def test_shows_no_secret() -> None:
    login = ZohoLogin(**CLIENT)

    assert "client-s3cret" not in f"{login!r} {login}"
    assert "1000.CLIENT" in repr(login)


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [
        ([], "ZohoCRM.users.READ and ZohoCRM.org.READ"),
        (["ZohoCRM.modules.ALL", "ZohoCRM.org.READ"], "ZohoCRM.users.READ"),
        ("ZohoCRM.users.ALL,ZohoCRM.org.CREATE", "ZohoCRM.org.READ"),
    ],
)
def test_says_which_scope_the_user_look_up_needs(scopes: Any, missing: str) -> None:
    with pytest.raises(ValueError, match=f"include {missing}:"):
        ZohoLogin(**CLIENT, scopes=scopes)


@pytest.mark.parametrize("scopes", [["ZohoCRM.users.ALL", "ZohoCRM.org.ALL"], list(USER_SCOPES)])
def test_takes_scopes_as_zoho_writes_them(scopes: list[str]) -> None:
    listed = ZohoLogin(**CLIENT, scopes=scopes)
    written = ZohoLogin(**CLIENT, scopes=", ".join(scopes))

    assert listed.authorize_url("s") == written.authorize_url("s")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"client_id": ""}, "client_id"),
        ({"client_secret": ""}, "client_secret"),
        ({"redirect_url": "/callback"}, "redirect_url"),
        ({"redirect_url": "javascript://portal.example/"}, "redirect_url"),
        ({"redirect_url": "https://portal.example/callback#top"}, "redirect_url"),
        ({"data_center": "uk"}, "data_center must be one of us, eu"),
        ({"environment": "test"}, "environment must be one of production"),
    ],
)
def test_refuses_what_cannot_be_right(wrong: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told) as refused:
        ZohoLogin(**{**CLIENT, **wrong})
    assert "client-s3cret" not in str(refused.value)


def test_refuses_an_empty_state() -> None:
    with pytest.raises(ValueError, match="new_state"):
        ZohoLogin(**CLIENT).authorize_url("")
