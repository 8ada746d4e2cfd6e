"""The authorize page: what it shows, what it refuses, and what a login leads to."""

from __future__ import annotations

import re
import socket
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.testing.zoho.calls import TIMEOUT, exchange, get, refresh
from zoho_mongo_store.testing import LoopbackZoho, digest

CALLBACK = "https://portal.example/callback?from=zoho"
SCOPES = "ZohoCRM.users.READ,ZohoCRM.org.READ"
ADA = "ada@example.com"


@pytest.fixture(autouse=True)
def client(zoho: LoopbackZoho) -> None:
    """The application is registered."""
    zoho.register_client([CALLBACK], name="The <Portal>")


def authorize_url(zoho: LoopbackZoho, **changes: str | None) -> str:
    """What the application sends its user to; None leaves a parameter out."""
    parameters = {
        "response_type": "code",
        "client_id": zoho.client_id,
        "scope": SCOPES,
        "redirect_uri": CALLBACK,
        "access_type": "offline",
        "prompt": "consent",
        "state": "a&b=<c>",
        **changes,
    }
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{zoho.url}/oauth/v2/auth?{urlencode(given)}"


def parameters_of(callback: str) -> dict[str, str]:
    """The parameters of a callback; each stands there once."""
    assert callback.startswith("https://portal.example/callback?")
    return {name: value for name, [value] in parse_qs(urlsplit(callback).query).items()}


def test_one_address_in_place_of_a_list_is_an_error(zoho: LoopbackZoho) -> None:
    with pytest.raises(TypeError, match=r"must be a list: \['https://"):
        zoho.register_client(CALLBACK)


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


class TestPage:
    def test_names_the_application_its_scopes_and_the_users(self, zoho: LoopbackZoho) -> None:
        zoho.add_user("eve@example.com", "20002")
        answer = requests.get(authorize_url(zoho), timeout=TIMEOUT)
        page = Elements(answer.text)

        assert (answer.status_code, answer.headers["Content-Type"]) == (
            200,
            "text/html; charset=utf-8",
        )
        assert "The <Portal> wants access to Zoho" in page.text
        assert page.all("portal") == []
        for shown in (*SCOPES.split(","), "while you are away", ADA, "eve@example.com", "20002"):
            assert shown in page.text
        users = [field for field in page.all("input") if field["type"] == "radio"]
        assert [user["value"] for user in users] == [ADA, "eve@example.com"]
        assert [user["value"] for user in users if "checked" in user] == [ADA]
        assert [button["value"] for button in page.all("button")] == ["accept", "reject"]

    def test_is_accessible(self, zoho: LoopbackZoho) -> None:
        page = Elements(requests.get(authorize_url(zoho), timeout=TIMEOUT).text)

        assert page.all("html") == [{"lang": "en"}]
        assert [len(page.all(tag)) for tag in ("title", "main", "h1", "fieldset", "legend")] == (
            [1] * 5
        )
        radios = [field for field in page.all("input") if field["type"] == "radio"]
        assert len(page.all("label")) == len(radios)
        assert page.all("script") == []

    def test_chooses_whom_the_login_hint_names(self, zoho: LoopbackZoho) -> None:
        zoho.add_user("eve@example.com", "20002")
        hinted = authorize_url(zoho, login_hint="eve@example.com")
        unknown = authorize_url(zoho, login_hint="who@example.com")

        for url, chosen in ((hinted, "eve@example.com"), (unknown, ADA)):
            page = Elements(requests.get(url, timeout=TIMEOUT).text)
            [user] = [field["value"] for field in page.all("input") if "checked" in field]
            assert user == chosen

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"client_id": "1000.OTHER"}, "invalid_client"),
            ({"redirect_uri": "https://portal.example/callback"}, "invalid_redirect_uri"),
            ({"redirect_uri": "https://evil.example/"}, "invalid_redirect_uri"),
            ({"redirect_uri": None}, "invalid_redirect_uri"),
            ({"response_type": "token"}, "invalid_response_type"),
            ({"scope": None}, "invalid_scope"),
            ({"scope": "ZohoCRM"}, "invalid_scope"),
        ],
    )
    def test_refuses_and_sends_the_browser_nowhere(
        self, zoho: LoopbackZoho, changes: dict[str, str | None], error: str
    ) -> None:
        url = authorize_url(zoho, **changes)
        shown = requests.get(url, timeout=TIMEOUT)
        sent = requests.post(
            f"{zoho.url}/oauth/v2/auth",
            data={**parse_qs(urlsplit(url).query), "user": ADA, "decision": "accept"},
            timeout=TIMEOUT,
        )

        for answer in (shown, sent):
            assert (answer.status_code, answer.history) == (400, [])
            assert f"Error: {error}" in Elements(answer.text).text
        with pytest.raises(ValueError, match=f"authorize: {error}$"):
            zoho.accept(url)
        assert [request.status for request in zoho.requests()] == [error] * 3


class TestAccept:
    def test_leads_back_with_a_code_the_data_centre_and_the_state(self, zoho: LoopbackZoho) -> None:
        callback = parameters_of(zoho.accept(authorize_url(zoho)))
        code = callback.pop("code")

        assert re.fullmatch(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}", code)
        assert callback == {
            "from": "zoho",
            "location": "us",
            "accounts-server": zoho.url,
            "state": "a&b=<c>",
        }
        assert [(request.kind, request.status, request.digest) for request in zoho.requests()] == [
            ("authorize", "shown", digest("")),
            ("authorize", "ok", digest(code)),
        ]

    def test_gives_no_state_where_none_came(self, zoho: LoopbackZoho) -> None:
        assert "state" not in parameters_of(zoho.accept(authorize_url(zoho, state=None)))

    def test_logs_in_who_was_chosen(self, zoho: LoopbackZoho) -> None:
        zoho.add_user("eve@example.com", "20002")
        code = parameters_of(zoho.accept(authorize_url(zoho), "eve@example.com"))["code"]
        access_token = exchange(zoho, code, redirect_uri=CALLBACK).json()["access_token"]

        users = get(zoho, "v8/users?type=CurrentUser", access_token).json()["users"]
        assert [user["email"] for user in users] == ["eve@example.com"]
        org = get(zoho, "v8/org", access_token).json()["org"]
        assert [organization["zgid"] for organization in org] == ["20002"]

    def test_elsewhere_sends_nothing(self, zoho: LoopbackZoho) -> None:
        with socket.create_server(("127.0.0.1", 0)) as stranger:
            stranger.settimeout(0)
            address = f"http://127.0.0.1:{stranger.getsockname()[1]}/oauth/v2/auth"
            for press in (zoho.accept, zoho.reject):
                with pytest.raises(ValueError, match="not one of this Zoho"):
                    press(address)
            with pytest.raises(BlockingIOError):
                stranger.accept()

    def test_of_an_unknown_user_is_an_error(self, zoho: LoopbackZoho) -> None:
        with pytest.raises(ValueError, match=r"who@example\.com is unknown; add it with add_user"):
            zoho.accept(authorize_url(zoho), "who@example.com")


class TestReject:
    def test_leads_back_with_the_error_and_the_state(self, zoho: LoopbackZoho) -> None:
        callback = parameters_of(zoho.reject(authorize_url(zoho)))

        assert callback == {"from": "zoho", "error": "access_denied", "state": "a&b=<c>"}
        assert [request.status for request in zoho.requests()] == ["shown", "access_denied"]


class TestExchange:
    @pytest.fixture
    def code(self, zoho: LoopbackZoho) -> str:
        return parameters_of(zoho.accept(authorize_url(zoho)))["code"]

    @pytest.mark.parametrize(
        "wrong", [{}, {"redirect_uri": "https://portal.example/callback"}], ids=["none", "another"]
    )
    def test_needs_the_same_address(
        self, zoho: LoopbackZoho, code: str, wrong: dict[str, str]
    ) -> None:
        assert exchange(zoho, code, **wrong).json() == {"error": "invalid_redirect_uri"}
        assert "refresh_token" in exchange(zoho, code, redirect_uri=CALLBACK).json()

    def test_is_possible_for_two_minutes(self, zoho: LoopbackZoho, code: str) -> None:
        zoho.advance(120)
        assert exchange(zoho, code, redirect_uri=CALLBACK).json() == {"error": "invalid_code"}

    def test_gives_what_the_scopes_allow(self, zoho: LoopbackZoho) -> None:
        url = authorize_url(zoho, scope="ZohoCRM.org.READ")
        code = parameters_of(zoho.accept(url))["code"]
        access_token = exchange(zoho, code, redirect_uri=CALLBACK).json()["access_token"]

        assert get(zoho, "v8/org", access_token).status_code == 200
        refused = get(zoho, "v8/users?type=CurrentUser", access_token)
        assert (refused.status_code, refused.json()["code"]) == (401, "OAUTH_SCOPE_MISMATCH")


class TestRefreshToken:
    def log_in(self, zoho: LoopbackZoho, user: str, **changes: str | None) -> dict[str, str]:
        callback = zoho.accept(authorize_url(zoho, **changes), user)
        code = parameters_of(callback)["code"]
        issued: dict[str, str] = exchange(zoho, code, redirect_uri=CALLBACK).json()
        assert zoho.is_live(issued["access_token"])
        return issued

    @pytest.mark.parametrize("access_type", [None, "online"])
    def test_needs_offline_access(self, zoho: LoopbackZoho, access_type: str | None) -> None:
        changes = {"access_type": access_type}
        page = requests.get(authorize_url(zoho, **changes), timeout=TIMEOUT).text

        assert "refresh_token" not in self.log_in(zoho, ADA, **changes)
        assert "while you are away" not in page

    def test_comes_again_only_with_a_new_consent(self, zoho: LoopbackZoho) -> None:

        first = self.log_in(zoho, ADA, prompt=None)
        second = self.log_in(zoho, ADA, prompt=None)
        third = self.log_in(zoho, ADA, prompt="consent")

        assert ["refresh_token" in issued for issued in (first, second, third)] == [
            True,
            False,
            True,
        ]
        assert first["refresh_token"] != third["refresh_token"]
        assert "access_token" in refresh(zoho, first["refresh_token"]).json()

    def test_comes_again_after_a_revocation(self, zoho: LoopbackZoho) -> None:
        first = self.log_in(zoho, ADA, prompt=None)
        zoho.revoke(first["refresh_token"])

        assert "refresh_token" in self.log_in(zoho, ADA, prompt=None)


class TestDataCentres:
    def test_a_user_is_at_home_in_one(self, zoho: LoopbackZoho, eu: LoopbackZoho) -> None:
        eu.add_user("eva@example.com", "30003")
        callback = parameters_of(zoho.accept(authorize_url(zoho), "eva@example.com"))
        assert (callback["location"], callback["accounts-server"]) == ("eu", eu.url)

        code = callback["code"]
        assert exchange(zoho, code, redirect_uri=CALLBACK).json() == {"error": "invalid_code"}
        issued = exchange(eu, code, redirect_uri=CALLBACK).json()
        assert issued["api_domain"] == eu.url
        assert (eu.is_live(issued["access_token"]), zoho.is_live(issued["access_token"])) == (
            True,
            False,
        )
        refused = get(zoho, "v8/org", issued["access_token"])
        assert (refused.status_code, refused.json()["code"]) == (401, "INVALID_TOKEN")
        assert get(eu, "v8/org", issued["access_token"]).status_code == 200
        assert refresh(zoho, issued["refresh_token"]).json() == {"error": "invalid_code"}

    def test_have_settings_and_requests_of_their_own(
        self, zoho: LoopbackZoho, eu: LoopbackZoho
    ) -> None:
        zoho.configure(failure="invalid_client")

        assert "access_token" in refresh(eu, eu.refresh_token()).json()
        assert (zoho.count("refresh"), eu.count("refresh")) == (0, 1)

    def test_have_an_environment_each(self, zoho: LoopbackZoho, eu: LoopbackZoho) -> None:
        environments = zoho.environments()

        assert {name: environment.url for name, environment in environments.items()} == {
            "us": zoho.url,
            "eu": eu.url,
        }
        assert environments["eu"].accounts_url == f"{eu.url}/oauth/v2/token"

    def test_that_it_has_not_are_an_error(self, zoho: LoopbackZoho) -> None:
        with pytest.raises(ValueError, match="has the data centres us, eu, not jp"):
            zoho.data_center("jp")

    @pytest.mark.parametrize("wrong", [(), ("us", "mars"), "us", ("us", "us")])
    def test_that_zoho_has_not_are_refused(self, wrong: tuple[str, ...]) -> None:
        with pytest.raises(ValueError, match="data_centers must"):
            LoopbackZoho(wrong)
