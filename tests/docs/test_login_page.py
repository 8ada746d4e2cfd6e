"""The programs of docs/guides/login.md."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.docs.pages import DOCS, programs, run
from tests.engines import SERVERS
from tests.refresh.callers import Fleet
from zoho_mongo_store import LoginRequiredError, NoUserError
from zoho_mongo_store.login import data_centers
from zoho_mongo_store.sdk import Initializer
from zoho_mongo_store.testing import LoopbackZoho, fresh_sdk

PAGE = DOCS / "guides" / "login.md"
SITE = "https://portal.example"
USER = "ada@example.com:10001"

on_a_server = pytest.mark.parametrize("engine", SERVERS, indirect=True)


@pytest.fixture
def portal(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[dict[str, Any]]:
    """The names of the page's application in Flask."""
    zoho = fleet.zoho
    zoho.register_client([f"{SITE}/callback"])
    monkeypatch.setenv("ZOHO_CLIENT_ID", zoho.client_id)
    monkeypatch.setenv("ZOHO_CLIENT_SECRET", zoho.client_secret)
    monkeypatch.setenv("FLASK_SECRET_KEY", "of the test")
    monkeypatch.setattr(data_centers, "zoho_data_centers", lambda _: zoho.environments())
    monkeypatch.chdir(tmp_path)
    (program,) = programs(PAGE, "In Flask")
    with fresh_sdk():
        names = run(program, PAGE)
        initialized: Any = Initializer.initializer
        with closing(initialized.store):
            yield names


def log_in(browser: Any, zoho: LoopbackZoho) -> None:
    asked = browser.get("/login", base_url=SITE).headers["Location"]
    callback = urlsplit(zoho.accept(asked))
    answer = browser.get(f"{callback.path}?{callback.query}", base_url=SITE)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


@on_a_server
def test_the_portal(portal: dict[str, Any], fleet: Fleet) -> None:
    browser = portal["app"].test_client()

    assert browser.get("/", base_url=SITE).headers["Location"] == "/login"
    log_in(browser, fleet.zoho)
    home = browser.get("/", base_url=SITE)
    assert (home.status_code, home.text) == (200, "Organization 10001")
    refused = browser.get("/callback?code=stolen&state=guessed", base_url=SITE)
    assert refused.status_code == 400
    assert fleet.zoho.count("grant") == 1

    initialized: Any = Initializer.initializer
    initialized.store.delete_tokens()
    assert browser.get("/", base_url=SITE).headers["Location"] == "/login"


@on_a_server
def test_acting_as_in_threads_and_coroutines(portal: dict[str, Any], fleet: Fleet) -> None:
    log_in(portal["app"].test_client(), fleet.zoho)
    (acting,) = programs(PAGE, "Act as a user")
    (coroutines,) = programs(PAGE, "With asyncio")
    names = run(coroutines, PAGE, run(acting, PAGE))
    request = SimpleNamespace(session={"user": USER})

    assert names["organization_of"](USER) == "Organization 10001"
    assert names["organization"](request) == "Organization 10001"
    assert asyncio.run(names["organization_async"](request)) == "Organization 10001"
    with pytest.raises(NoUserError):
        names["organization_of"](None)
    with pytest.raises(LoginRequiredError):
        names["organization_of"]("eve@example.com:1")

    async def mistaken() -> None:
        names["organization"](request)

    with pytest.raises(RuntimeError, match="run_in_threadpool"):
        asyncio.run(mistaken())


@on_a_server
def test_an_access_token_that_zoho_ended_early(portal: dict[str, Any], fleet: Fleet) -> None:
    log_in(portal["app"].test_client(), fleet.zoho)
    (program,) = programs(PAGE, "If Zoho ends.*?")
    names = run(program, PAGE)
    initialized: Any = Initializer.initializer
    (token,) = initialized.store.get_tokens()
    fleet.zoho.expire(token.get_access_token())

    for _ in range(2):
        assert names["organization_of"](USER, initialized.store) == "Organization 10001"
    assert fleet.zoho.count("refresh") == 1


def test_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOHO_CLIENT_ID", "1000.CLIENT")
    monkeypatch.setenv("ZOHO_CLIENT_SECRET", "client-secret")
    (program,) = programs(PAGE, "Sandboxes.*?")

    login = run(program, PAGE)["login"]

    assert login.authorize_url("s3cret").startswith("https://accounts.zoho.eu/oauth/v2/auth?")


def test_no_program_is_left_out() -> None:
    headings = ["In Flask", "Act as a user", "If Zoho ends.*?", "With asyncio", "Sandboxes.*?"]
    found = [program for heading in headings for program in programs(PAGE, heading)]

    assert len(found) == PAGE.read_text().count("```python\n")
