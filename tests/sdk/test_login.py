"""A login: what the SDK leaves in the store, and what Zoho sees of it."""

import time
from typing import Any

import pytest

from tests.sdk.application import (
    CLIENT,
    OTHER_USER,
    USER,
    Application,
    call_api,
    login,
    name_of,
    nameless_login,
)
from tests.sdk.stored import Documents, as_contents
from tests.sdk.version import FINDS_USER
from tests.tokens import make_token

HOUR = 3600


def test_leaves_one_complete_document(application: Application, documents: Documents) -> None:
    zoho = application.zoho
    fields = login(zoho)

    outcome = application.run(call_api, fields)

    (document,) = documents()
    assert as_contents(document) == outcome.token
    assert outcome.token.keys() == {
        *CLIENT,
        "id",
        "user_name",
        "refresh_token",
        "access_token",
        "grant_token",
        "expires_in",
        "api_domain",
    }
    assert document["user_name"] == name_of(USER)
    assert document["grant_token"] == fields["grant_token"]
    assert document["access_token"] == outcome.access_token
    assert zoho.is_live(document["access_token"])
    assert zoho.is_live(zoho.access_token(document["refresh_token"]))
    assert HOUR - 60 < document["expiry_time"].timestamp() - time.time() < HOUR


def test_asks_zoho_for_the_user_once(application: Application) -> None:
    application.run(call_api, login(application.zoho), 3)

    kinds = [request.kind for request in application.zoho.requests()]
    look_up = ["users", "org"] if FINDS_USER else []
    assert kinds == ["grant", *look_up, "users", "users", "users"]


def test_later_calls_take_the_stored_token(application: Application, documents: Documents) -> None:
    outcome = application.run(call_api, login(application.zoho), 3)

    assert outcome.users == [USER] * 3
    assert outcome.access_token == documents()[0]["access_token"]
    assert application.zoho.count("grant") == 1
    assert application.zoho.count("refresh") == 0


def test_without_user_lookup_is_stored_nameless(
    application: Application, documents: Documents
) -> None:
    outcome = application.run(call_api, nameless_login(application.zoho))

    (document,) = documents()
    assert "user_name" not in document
    assert document["id"] == outcome.token["id"]
    assert application.zoho.count("org") == 0


def test_nameless_logins_stay_apart(application: Application, documents: Documents) -> None:
    first = nameless_login(application.zoho)
    second = nameless_login(application.zoho)
    tokens = [application.run(call_api, fields).token for fields in (first, second)]

    found = [application.run(call_api, fields).token for fields in (first, second)]

    assert found == tokens
    assert len(documents()) == 2
    assert application.zoho.count("grant") == 2


def test_without_the_scope_for_users_is_stored_nameless(
    application: Application, documents: Documents
) -> None:
    application.zoho.refuse_with("OAUTH_SCOPE_MISMATCH")
    fields = {**CLIENT, "grant_token": application.zoho.grant()}

    access_token = application.run(get_token, fields)

    (document,) = documents()
    assert document["access_token"] == access_token
    assert "user_name" not in document


def get_token(application: Application, fields: dict[str, Any]) -> str:
    token = make_token(**fields)
    with application.initialized(token):
        return token.get_token()


@pytest.mark.skipif(not FINDS_USER, reason="this SDK does not ask Zoho who logged in")
def test_again_updates_the_users_document(application: Application, documents: Documents) -> None:
    first = application.run(call_api, login(application.zoho))
    second = application.run(call_api, login(application.zoho))

    (document,) = documents()
    assert as_contents(document) == second.token
    assert second.token["id"] == first.token["id"]
    assert second.token["refresh_token"] != first.token["refresh_token"]
    assert application.zoho.count("grant") == 2


def test_under_a_stored_name_with_a_known_grant_takes_the_stored_token(
    application: Application, documents: Documents
) -> None:
    named = {**CLIENT, "user_name": name_of(USER), "grant_token": application.zoho.grant()}
    first = application.run(call_api, named)
    second = application.run(call_api, named)

    assert second.token == first.token
    assert as_contents(documents()[0]) == first.token
    assert len(documents()) == application.zoho.count("grant") == 1


def test_keeps_two_users_apart(application: Application, documents: Documents) -> None:
    for user in (USER, OTHER_USER):
        outcome = application.run(call_api, login(application.zoho, user))
        assert outcome.users == [user]

    by_name = {document["user_name"]: document for document in documents()}
    assert by_name.keys() == {name_of(USER), name_of(OTHER_USER)}
    for field in ("id", "access_token", "refresh_token", "grant_token"):
        assert len({document[field] for document in by_name.values()}) == 2
