"""The application of guides/web.md."""

from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from tests.docs.pages import DOCS, file_of, run
from tests.engines import SERVERS, Engine
from tests.refresh.callers import Fleet
from tests.refresh.moved_documents import let_time_pass
from zoho_mongo_store.sdk import Initializer

PAGE = DOCS / "guides" / "web.md"

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)


@pytest.mark.usefixtures("page_folder")
def test_a_login_that_ends(fleet: Fleet, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    zoho = fleet.zoho
    monkeypatch.setenv("FLASK_SECRET_KEY", "of the test")
    stored = fleet.stored()
    names = run(file_of(PAGE, ""), PAGE)
    with closing(store_of_the_sdk()):
        browser = names["app"].test_client()
        assert leads_to_login(browser.get("/"))
        with browser.session_transaction() as session:
            session["user"] = stored["user_name"]
        assert browser.get("/").status_code == 200

        zoho.revoke(stored["refresh_token"])
        let_time_pass(engine.client, fleet.database, timedelta(hours=2))
        paused = browser.get("/")
        assert paused.status_code == 503
        assert 50 < int(paused.headers["Retry-After"]) <= 60
        let_time_pass(engine.client, fleet.database, timedelta(seconds=61))
        assert leads_to_login(browser.get("/"))
        assert leads_to_login(browser.get("/"))

    # The first use, the refusal, and the one that confirms it.
    assert zoho.count("refresh") == 3


def store_of_the_sdk() -> Any:
    """The store that the page's program made."""
    initialized: Any = Initializer.initializer
    return initialized.store


def leads_to_login(response: Any) -> bool:
    return (response.status_code, response.headers.get("Location")) == (302, "/login")
