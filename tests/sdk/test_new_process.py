"""A process that has only part of a stored token, and goes on with it: no new login."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sdk.application import (
    CLIENT,
    OTHER_USER,
    USER,
    Application,
    call_api,
    log_in,
    login,
    name_of,
)
from tests.sdk.stored import Documents, as_contents, filled
from tests.sdk.version import FINDS_USER, TAKES_UNKNOWN_ID
from tests.tokens import contents, make_token
from zoho_mongo_store.sdk import SDKException

Fields = dict[str, Any]

# What a process knows of a stored token.
KNOWLEDGE: dict[str, Callable[[Fields], Fields]] = {
    "user name": lambda stored: {"user_name": stored["user_name"]},
    "user name and client": lambda stored: {"user_name": stored["user_name"], **CLIENT},
    "id": lambda stored: {"id": stored["id"]},
    "used grant token": lambda stored: {"grant_token": stored["grant_token"], **CLIENT},
    "refresh token": lambda stored: {"refresh_token": stored["refresh_token"], **CLIENT},
    "access token": lambda stored: {"access_token": stored["access_token"]},
    "user name and empty texts": lambda stored: {
        "user_name": stored["user_name"],
        "client_id": "",
        "client_secret": "",
        "grant_token": "",
        "refresh_token": "",
        "access_token": "",
        "redirect_url": "",
        "api_domain": "",
    },
}


@pytest.mark.parametrize("knows", KNOWLEDGE)
def test_goes_on_with_the_stored_token(
    application: Application, documents: Documents, knows: str
) -> None:
    application.run(log_in, OTHER_USER, USER)
    before = documents()
    application.zoho.clear()

    outcome = application.run(call_api, KNOWLEDGE[knows](before[1]), 2)

    assert outcome.users == [USER, USER]
    assert outcome.access_token == before[1]["access_token"]
    # The very token that the SDK was initialized with is filled, the expiry a string.
    assert outcome.token == filled(before[1], by_id=knows == "id")
    assert [request.kind for request in application.zoho.requests()] == ["users", "users"]
    assert documents() == before


def test_a_stale_access_token_gives_way_to_the_stored_one(
    application: Application, documents: Documents
) -> None:
    application.run(log_in, USER)
    stored = as_contents(documents()[0])
    stale = application.zoho.access_token(stored["refresh_token"])
    application.zoho.expire(stale)

    fields = {**CLIENT, "user_name": name_of(USER), "access_token": stale}
    outcome = application.run(call_api, fields)

    assert outcome.users == [USER]
    assert outcome.token == stored
    assert application.zoho.count("refresh") == 0


def test_an_unknown_access_token_is_stored(application: Application, documents: Documents) -> None:
    access_token = application.zoho.access_token(application.zoho.refresh_token())
    for _ in range(2):
        outcome = application.run(call_api, {"access_token": access_token}, 2)
        assert outcome.users == [USER, USER]

    (document,) = documents()
    name = {"user_name": name_of(USER)} if FINDS_USER else {}
    assert as_contents(document).items() >= {"access_token": access_token, **name}.items()
    assert "expiry_time" not in document
    assert application.zoho.count("org") == len(name)


@pytest.mark.skipif(not FINDS_USER, reason="this SDK does not ask Zoho whose the token is")
def test_an_access_token_of_a_stored_user_joins_the_document(
    application: Application, documents: Documents
) -> None:
    application.run(log_in, USER)
    (before,) = documents()
    access_token = application.zoho.access_token(before["refresh_token"])

    outcome = application.run(call_api, {"access_token": access_token})

    (document,) = documents()
    assert document["access_token"] == access_token == outcome.access_token
    assert "expiry_time" not in document
    for field in ("id", "refresh_token", "grant_token", "created_at"):
        assert document[field] == before[field]
    assert outcome.token["id"] == before["id"]


def test_empty_texts_are_not_stored(application: Application, documents: Documents) -> None:
    empty = {"refresh_token": "", "access_token": "", "redirect_url": "", "api_domain": ""}

    application.run(call_api, {**login(application.zoho), **empty})

    (document,) = documents()
    assert "redirect_url" not in document
    assert "" not in document.values()
    assert application.zoho.is_live(document["access_token"])


def test_one_refresh_token_under_two_names(application: Application, documents: Documents) -> None:
    refresh_token = application.zoho.refresh_token()
    names = ["ada", "ada at work"]
    tokens = [
        application.run(
            call_api, {**CLIENT, "refresh_token": refresh_token, "user_name": name}
        ).token
        for name in names
    ]

    found = [application.run(call_api, {"user_name": name}).token for name in names]

    assert found == tokens
    assert [document["user_name"] for document in documents()] == names
    assert [document["refresh_token"] for document in documents()] == [refresh_token] * 2
    assert application.zoho.count("refresh") == 2


def initialize(application: Application, fields: Fields) -> tuple[str | None, Fields]:
    """The code of the error that the SDK raises, and the token's fields afterwards."""
    token = make_token(**fields)
    try:
        with application.initialized(token):
            return None, contents(token)
    except SDKException as error:
        return error.code, contents(token)


@pytest.mark.skipif(not TAKES_UNKNOWN_ID, reason="this SDK raises for an unknown id")
def test_an_unknown_id_logs_in_under_that_id(
    application: Application, documents: Documents
) -> None:
    fields = {"id": "seven", **login(application.zoho)}

    code, token = application.run(initialize, fields)

    assert code is None
    (document,) = documents()
    assert document["id"] == token["id"] == "seven"
    assert document["access_token"] == application.run(call_api, {"id": "seven"}).access_token


@pytest.mark.skipif(TAKES_UNKNOWN_ID, reason="this SDK goes on with an unknown id")
def test_an_unknown_id_is_the_sdks_error(application: Application, documents: Documents) -> None:
    application.run(log_in, USER)
    before = documents()
    fields = {"id": "seven", **login(application.zoho, OTHER_USER)}

    code, token = application.run(initialize, fields)

    assert code == "MERGE_OBJECT"
    assert token == {**fields}
    assert documents() == before
    assert application.zoho.count("grant") == 1
