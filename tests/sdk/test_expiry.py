"""An access token that expired: one refresh, and the new one is stored."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sdk.application import (
    CLIENT,
    USER,
    Application,
    Outcome,
    call_api,
    current_user,
    log_in,
    login,
    name_of,
    nameless_login,
)
from tests.sdk.stored import Documents, as_contents, expire_all, filled
from tests.sdk.version import FINDS_USER
from tests.tokens import contents, make_token

KNOWLEDGE: dict[str, tuple[str, ...]] = {
    "user name": ("user_name",),
    "id": ("id",),
    "used grant token": ("grant_token", *CLIENT),
    "refresh token": ("refresh_token", *CLIENT),
    "access token": ("access_token",),
}


@pytest.mark.parametrize("knows", KNOWLEDGE)
def test_a_new_process_refreshes_once(
    application: Application, documents: Documents, expire: Callable[[], None], knows: str
) -> None:
    application.run(log_in, USER)
    (before,) = documents()
    expire()
    application.zoho.expire(before["access_token"])
    application.zoho.clear()

    fields = {field: before[field] for field in KNOWLEDGE[knows]}
    outcome = application.run(call_api, fields, 3)

    (document,) = documents()
    assert outcome.users == [USER] * 3
    assert outcome.access_token == document["access_token"] != before["access_token"]
    assert application.zoho.is_live(document["access_token"])
    assert document["expiry_time"] > before["expiry_time"]
    assert application.zoho.count("refresh") == 1
    assert application.zoho.count("refresh", before["refresh_token"]) == 1
    assert application.zoho.count("grant") == application.zoho.count("org") == 0
    changed = {"access_token", "expiry_time", "updated_at"}
    kept = before.keys() - changed
    assert {field: document[field] for field in kept} == {field: before[field] for field in kept}
    assert document.keys() == before.keys()


def test_the_next_process_takes_the_refreshed_token(
    application: Application, documents: Documents, expire: Callable[[], None]
) -> None:
    application.run(log_in, USER)
    expire()
    stored_id = {"id": documents()[0]["id"]}
    refreshed = application.run(call_api, stored_id)

    outcome = application.run(call_api, stored_id)

    assert outcome.access_token == refreshed.access_token
    assert outcome.token == filled(documents()[0], by_id=True)
    assert application.zoho.count("refresh") == 1


def outlive_the_access_token(application: Application, fields: dict[str, Any]) -> list[Outcome]:
    """Call the API before and after the access token expires, with one and the same token."""
    token = make_token(**fields)
    outcomes = []
    with application.initialized(token) as store:
        for _ in range(2):
            users = [current_user(), current_user()]
            outcomes.append(Outcome(contents(token), token.get_token(), users))
            expire_all(store.collection)
    return outcomes


def test_a_running_process_refreshes_once(application: Application, documents: Documents) -> None:
    before, after = application.run(outlive_the_access_token, login(application.zoho))

    (document,) = documents()
    assert before.users == after.users == [USER, USER]
    assert after.access_token == document["access_token"] != before.access_token
    assert before.token["id"] == after.token["id"] == document["id"]
    assert application.zoho.count("grant") == application.zoho.count("refresh") == 1


def let_another_refresh(application: Application, fields: dict[str, Any]) -> list[str]:
    """Let another token object refresh, and return what it got and what the first then gets."""
    token = make_token(**fields)
    with application.initialized(token) as store:
        expire_all(store.collection)
        other = make_token(id=token.get_id())
        return [other.get_token(), token.get_token()]


def test_what_another_refreshed_is_taken(application: Application, documents: Documents) -> None:
    access_tokens = application.run(let_another_refresh, login(application.zoho))

    assert access_tokens == [documents()[0]["access_token"]] * 2
    assert application.zoho.count("refresh") == 1


def test_under_five_seconds_left_counts_as_expired(
    application: Application, documents: Documents
) -> None:
    application.zoho.configure(lifetime=4)
    application.run(log_in, USER)
    application.zoho.configure(lifetime=3600)
    (before,) = documents()

    outcome = application.run(call_api, {"user_name": before["user_name"]})

    assert outcome.access_token == documents()[0]["access_token"] != before["access_token"]


def test_a_refresh_token_alone_gets_an_access_token(
    application: Application, documents: Documents
) -> None:
    fields = {**CLIENT, "refresh_token": application.zoho.refresh_token()}
    for _ in range(2):
        outcome = application.run(call_api, fields)
        assert outcome.token == as_contents(documents()[0])

    assert len(documents()) == application.zoho.count("refresh") == 1


@pytest.mark.skipif(not FINDS_USER, reason="this SDK does not ask Zoho whose the token is")
def test_a_refresh_names_a_nameless_document(
    application: Application, documents: Documents, expire: Callable[[], None]
) -> None:
    application.run(call_api, nameless_login(application.zoho))
    (before,) = documents()
    expire()

    application.run(call_api, {"id": before["id"]})

    (document,) = documents()
    assert document["id"] == before["id"]
    assert document["user_name"] == name_of(USER)
    assert document["refresh_token"] == before["refresh_token"]
    assert application.zoho.count("refresh") == 1
