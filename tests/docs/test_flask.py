"""The page's login page in Flask."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from zohocrmsdk.src.com.zoho.crm.api.dc.us_data_center import USDataCenter

from tests.docs.pages import DOCS, programs, run
from tests.engines import SERVERS, Engine
from tests.refresh.callers import Fleet
from tests.refresh.moved_documents import let_time_pass
from zoho_mongo_store.sdk import Initializer
from zoho_mongo_store.testing import LoopbackZoho

PAGE = DOCS / "guides" / "web.md"

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)


def test_the_login_page(
    fleet: Fleet, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    zoho = fleet.zoho
    monkeypatch.setenv("ZOHO_CLIENT_ID", zoho.client_id)
    monkeypatch.setenv("ZOHO_CLIENT_SECRET", zoho.client_secret)
    monkeypatch.setenv("FLASK_SECRET_KEY", "of the test")
    monkeypatch.setattr(USDataCenter, "PRODUCTION", zoho.environment)
    monkeypatch.setattr(Initializer, "initializer", None)
    # What this thread switches to.
    monkeypatch.setattr(Initializer.LOCAL, "init", None, raising=False)
    monkeypatch.chdir(tmp_path)
    (program,) = programs(PAGE, "Send the user.*?Flask")
    names = run(program, PAGE)
    with closing(names["Initializer"].initializer.store):
        browser = names["app"].test_client()
        log_in(browser, zoho)
        assert (browser.get("/").status_code, zoho.count("grant")) == (200, 1)

        (stored,) = engine.client[fleet.database].oauthtoken.find()
        zoho.revoke(stored["refresh_token"])
        let_time_pass(engine.client, fleet.database, timedelta(hours=2))
        paused = browser.get("/")
        assert paused.status_code == 503
        assert 50 < int(paused.headers["Retry-After"]) <= 60
        let_time_pass(engine.client, fleet.database, timedelta(seconds=61))
        assert leads_to_login(browser.get("/"))
        assert leads_to_login(browser.get("/"))
        assert zoho.count("refresh") == 2

        log_in(browser, zoho)
        assert browser.get("/").status_code == 200
        assert browser.get("/callback?code=stolen&state=guessed").status_code == 400


def leads_to_login(response: Any) -> bool:
    return (response.status_code, response.headers.get("Location")) == (302, "/login")


def log_in(browser: Any, zoho: LoopbackZoho) -> None:
    """As a user does who lets the client in."""
    asked = urlsplit(browser.get("/login").headers["Location"])
    fields: dict[str, Any] = parse_qs(asked.query)
    assert f"{asked.scheme}://{asked.netloc}{asked.path}" == f"{zoho.url}/oauth/v2/auth"
    assert fields["access_type"] == ["offline"]
    assert fields["redirect_uri"] == ["http://localhost/callback"]
    answer = browser.get(f"/callback?code={zoho.grant()}&state={fields['state'][0]}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
