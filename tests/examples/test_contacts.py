"""Several workers meet one refused access token, and ask Zoho for one new one."""

import importlib
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.examples.test_examples import EXAMPLES
from tests.refresh.callers import CLIENT
from tests.tokens import make_token
from zoho_mongo_store import ZohoUser
from zoho_mongo_store.testing import LocalMongo, LoopbackZoho, fresh_sdk

WORKERS = 4
NAME = "ada@example.com:10001"
MODULES = ("contacts", "zoho_login", "settings")


@pytest.fixture
def contacts(
    server: LocalMongo, zoho: LoopbackZoho, monkeypatch: pytest.MonkeyPatch, resource_path: str
) -> Iterator[Any]:
    """The example's module, with the SDK initialized for nobody."""
    monkeypatch.setenv("ZOHO_URL", zoho.url)
    monkeypatch.setenv("ZOHO_CLIENT_ID", zoho.client_id)
    monkeypatch.setenv("ZOHO_CLIENT_SECRET", zoho.client_secret)
    monkeypatch.setenv("ZOHO_MONGO_URI", server.uri)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    zoho_login = importlib.import_module("zoho_login")
    with fresh_sdk(), zoho_login.store:
        zoho_login.login.initialize(zoho_login.store, resource_path=resource_path)
        yield importlib.import_module("contacts")
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def user(contacts: Any, zoho: LoopbackZoho) -> ZohoUser:
    """Somebody who has logged in, and whose access token Zoho has ended before its time."""
    zoho.add_record("Contacts", {"Last_Name": "Lovelace"})
    refresh_token = zoho.refresh_token()
    token = make_token(
        user_name=NAME,
        refresh_token=refresh_token,
        access_token=zoho.access_token(refresh_token),
        expires_in="9999999999999",
        **CLIENT,
    )
    contacts.store.save_token(token)
    user = ZohoUser(NAME, str(token.get_id()))
    contacts.contacts_of(user)  # the SDK looks the module's fields up
    zoho.expire(str(token.get_access_token()))
    return user


def test_the_last_to_see_it_does_not_expire_the_new_one(
    contacts: Any, user: ZohoUser, zoho: LoopbackZoho, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All see the refusal before the first one asks for a new access token."""
    ask, refused = contacts._contacts, threading.Barrier(WORKERS, timeout=60)
    turn, seen = threading.Lock(), threading.local()

    def in_turn() -> Any:
        if hasattr(seen, "refusal"):
            answer = ask()
            turn.release()
            return answer
        with pytest.raises(contacts.RefusedError) as seen.refusal:
            ask()
        refused.wait()
        assert turn.acquire(timeout=60)
        raise seen.refusal.value

    monkeypatch.setattr(contacts, "_contacts", in_turn)
    with ThreadPoolExecutor(WORKERS) as threads:
        answers = list(threads.map(contacts.contacts_of, [user] * WORKERS))

    assert [[contact.name for contact in answer] for answer in answers] == [["Lovelace"]] * WORKERS
    assert zoho.count("refresh") == 1


def test_an_access_token_that_the_call_itself_brought_is_named_too(
    contacts: Any, user: ZohoUser, zoho: LoopbackZoho
) -> None:
    contacts.store.expire_access_token(user.id)
    zoho.refuse_with("INVALID_TOKEN", requests=1)

    assert [contact.name for contact in contacts.contacts_of(user)] == ["Lovelace"]
    assert zoho.count("refresh") == 2
