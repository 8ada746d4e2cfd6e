"""A login whose ``save_token`` fails: the SDK goes on as if nothing had happened, or raises."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engines import SERVERS, Engine
from tests.sdk.application import CLIENT, USER, Application, call_api, current_user, login
from tests.sdk.version import SWALLOWS_FAILED_SAVE
from tests.tokens import contents, make_token
from zoho_mongo_store import MongoTokenStore, TokenEvent
from zoho_mongo_store.sdk import OAuthToken, SDKException
from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

SECRETS = ("client_secret", "refresh_token", "access_token", "grant_token")


class Records(logging.Handler):
    """What the store logs, formatted as it would be written, with any traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record."""
        self.texts.append(f"{record.levelname} {record.name} {self.format(record)}")


def log_in_unsaved(
    application: Application, fields: dict[str, Any]
) -> tuple[str | None, list[str], dict[str, Any], list[str]]:
    """The code of the error that initializing raises, whom the API then serves, the fields of the
    token, and what the store logged."""
    records = Records()
    logging.getLogger("zoho_mongo_store").addHandler(records)
    token = make_token(**fields)
    code, users = None, []
    try:
        with application.initialized(token):
            users = [current_user(), current_user()]
    except SDKException as error:
        code = error.code
    return code, users, contents(token), records.texts


# With the refresh coordinated by the store, and left to the SDK.
REFRESH: dict[str, dict[str, Any]] = {"coordinated": {}, "uncoordinated": {"refresh": None}}


@pytest.fixture(params=REFRESH)
def refresh(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The store's options for the refresh."""
    return REFRESH[request.param]


@pytest.fixture
def refusing(engine: Engine, database: str) -> None:
    """The collection takes no document: its validator demands a field that no token has."""
    schema = {"$jsonSchema": {"required": ["another_field"]}}
    engine.client[database].create_collection("oauthtoken", validator=schema)


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
@pytest.mark.usefixtures("refusing")
def test_is_logged_as_an_error_without_any_secret(
    application: Application, engine: Engine, database: str, refresh: dict[str, Any]
) -> None:
    fields = login(application.zoho)
    configured = replace(application, store_options={**application.store_options, **refresh})

    code, users, token, logged = configured.run(log_in_unsaved, fields)

    if SWALLOWS_FAILED_SAVE or not refresh:
        assert (code, users) == (None, [USER, USER])
    else:
        assert (code, users) == ("TOKEN_STORE", [])
    assert any(" failed: " in text for text in logged)
    assert all(text.startswith("ERROR zoho_mongo_store ") for text in logged)
    assert not any(token[secret] in text for secret in SECRETS for text in logged)
    assert "id" not in token
    assert engine.client[database].oauthtoken.count_documents({}) == 0


def wait_until(condition: Callable[[], bool], seconds: float = 45) -> None:
    """Return when the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def log_in_during_an_outage(application: Application, fields: dict[str, Any], failed: Path) -> str:
    """Log in while MongoDB goes away, say so, and go on until it is back."""
    token = make_token(**fields)
    written = threading.Event()

    def listen(event: TokenEvent) -> None:
        if event.name == "save_written":
            written.set()

    with MongoTokenStore(**application.store_options, timeout=3, on_event=listen) as store:
        # SDK 5 raises what the later ones swallow; the process lives on with all of them.
        with contextlib.suppress(SDKException):
            application.initialize(token, store)
        failed.touch()
        wait_until(lambda: gets_token(token))
        assert written.wait(45)
        return token.get_token()


def gets_token(token: OAuthToken) -> bool:
    """Whether the SDK gets an access token now."""
    try:
        return bool(token.get_token())
    except SDKException:
        return False


def test_is_made_good_when_mongodb_is_back(
    server: LocalMongo,
    zoho: LoopbackZoho,
    resource_path: str,
    tmp_path: Path,
    refresh: dict[str, Any],
) -> None:
    application = Application(zoho, {"uri": server.uri, **refresh}, resource_path)
    fields, failed = login(zoho), tmp_path / "failed"
    zoho.configure(failure="hang", failures=1)
    with ThreadPoolExecutor(1) as pool:
        program = pool.submit(application.run, log_in_during_an_outage, fields, failed)
        wait_until(lambda: zoho.count("grant") == 1)
        server.kill()
        zoho.release()
        wait_until(failed.exists)
        server.start()
        access_token = program.result()

    outcome = application.run(call_api, {**CLIENT, "grant_token": fields["grant_token"]})

    assert outcome.users == [USER]
    assert outcome.access_token == access_token
    assert zoho.count("grant") == 1
    assert zoho.count("refresh") == 0
