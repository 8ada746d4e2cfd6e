"""A user logs in again: the login is used, whatever it replaces is not, and Zoho is asked once."""

from collections.abc import Callable
from typing import Any, Literal

import pytest

from tests.engines import SERVERS
from tests.processes import in_processes
from tests.sdk.application import CLIENT, USER, Application, Outcome, call_api, name_of
from tests.sdk.stored import Documents
from tests.sdk.version import FINDS_USER
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LoopbackZoho

Fields = dict[str, Any]

KINDS: list[Literal["grant", "refresh"]] = ["grant", "refresh"]
NAME = {"user_name": name_of(USER)}


def grant(zoho: LoopbackZoho) -> Fields:
    """A login by a new grant token."""
    return {**CLIENT, "grant_token": zoho.grant()}


def refresh(zoho: LoopbackZoho) -> Fields:
    """A login by a new refresh token, as from Zoho's API console."""
    return {**CLIENT, "refresh_token": zoho.refresh_token()}


LOGINS: dict[str, Callable[[LoopbackZoho], Fields]] = {
    "grant": grant,
    "grant and name": lambda zoho: {**grant(zoho), **NAME},
    "refresh": refresh,
    "refresh and name": lambda zoho: {**refresh(zoho), **NAME},
}
# Without a name, SDK 5 does not find out who logged in: the login is another document.
FOUND_BY_NAME = list(LOGINS) if FINDS_USER else [way for way in LOGINS if way.endswith("name")]


@pytest.fixture
def revoked(application: Application, documents: Documents) -> Fields:
    """The document of a login that the user has revoked at Zoho."""
    application.run(call_api, {**grant(application.zoho), **NAME})
    (document,) = documents()
    application.zoho.revoke(document["refresh_token"])
    application.zoho.clear()
    return document


@pytest.mark.parametrize("is_expired", [False, True], ids=["valid", "expired"])
@pytest.mark.parametrize("way", FOUND_BY_NAME)
def test_the_login_replaces_what_is_stored(
    application: Application,
    documents: Documents,
    expire: Callable[[], None],
    revoked: Fields,
    way: str,
    is_expired: bool,
) -> None:
    if is_expired:
        expire()
    login = LOGINS[way](application.zoho)

    first = application.run(call_api, login)
    second = application.run(call_api, login)

    (document,) = documents()
    assert document["id"] == revoked["id"]
    assert application.zoho.is_live(document["access_token"])
    for field in ("access_token", "refresh_token"):
        assert document[field] != revoked[field]
    assert first.users == second.users == [USER]
    assert first.access_token == second.access_token == document["access_token"]
    asked = application.zoho.count("grant") + application.zoho.count("refresh")
    assert asked == 1


def test_what_the_login_replaced_starts_no_login(
    application: Application, documents: Documents, revoked: Fields
) -> None:
    """Another host still has the old credentials in its environment."""
    application.run(call_api, {**grant(application.zoho), **NAME})
    (document,) = documents()
    application.zoho.clear()

    for field in ("grant_token", "refresh_token"):
        outcome = application.run(call_api, {**CLIENT, **NAME, field: revoked[field]})
        assert outcome.access_token == document["access_token"]
        assert outcome.token["refresh_token"] == document["refresh_token"]

    assert application.zoho.count("grant") == application.zoho.count("refresh") == 0


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
@pytest.mark.parametrize("way", ["grant and name", "refresh and name"])
def test_eight_processes_log_in_once(
    application: Application, documents: Documents, revoked: Fields, way: str
) -> None:
    login = LOGINS[way](application.zoho)

    outcomes: list[Outcome] = in_processes(call_api, [(application, login)] * 8)

    (document,) = documents()
    assert {outcome.access_token for outcome in outcomes} == {document["access_token"]}
    assert document["access_token"] != revoked["access_token"]
    assert application.zoho.count("grant") + application.zoho.count("refresh") == 1


@pytest.fixture
def imported(application: Application, documents: Documents) -> Fields:
    """A working login that was imported without the grant token that it began with."""
    refresh_token = application.zoho.refresh_token()
    fields = {
        "refresh_token": refresh_token,
        "access_token": application.zoho.access_token(refresh_token),
        "expires_in": "4102444800000",
    }
    with MongoTokenStore(**application.store_options) as store:
        store.save_token(make_token(**CLIENT, **NAME, **fields))
    (document,) = documents()
    return document


def spent(_: LoopbackZoho) -> Fields:
    """A grant token that stays in the environment, although it was exchanged long ago."""
    return {**CLIENT, **NAME, "grant_token": "1000.spent"}


def refused(zoho: LoopbackZoho) -> Fields:
    """A refresh token that was revoked before it was ever stored."""
    refresh_token = zoho.refresh_token()
    zoho.revoke(refresh_token)
    return {**CLIENT, **NAME, "refresh_token": refresh_token}


@pytest.mark.parametrize("is_expired", [False, True], ids=["valid", "expired"])
@pytest.mark.parametrize("brought", [spent, refused])
def test_a_login_that_zoho_refuses_leaves_the_stored_one_in_use(
    application: Application,
    documents: Documents,
    expire: Callable[[], None],
    imported: Fields,
    brought: Callable[[LoopbackZoho], Fields],
    is_expired: bool,
) -> None:
    if is_expired:
        expire()
    fields = brought(application.zoho)
    application.zoho.clear()

    outcomes = [application.run(call_api, fields) for _ in range(3)]

    (document,) = documents()
    assert [outcome.users for outcome in outcomes] == [[USER]] * 3
    assert {outcome.access_token for outcome in outcomes} == {document["access_token"]}
    assert document["id"] == imported["id"]
    assert document["refresh_token"] == imported["refresh_token"]
    assert (document["access_token"] != imported["access_token"]) is is_expired
    credential = fields.get("grant_token") or fields["refresh_token"]
    asked = [application.zoho.count(kind, credential) for kind in KINDS]
    assert asked == [int("grant_token" in fields), int("refresh_token" in fields)]
    assert application.zoho.count("refresh", imported["refresh_token"]) == int(is_expired)


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
@pytest.mark.parametrize("is_expired", [False, True], ids=["valid", "expired"])
def test_eight_processes_ask_about_a_refused_login_once(
    application: Application,
    documents: Documents,
    expire: Callable[[], None],
    imported: Fields,
    is_expired: bool,
) -> None:
    if is_expired:
        expire()
    outcomes: list[Outcome] = in_processes(call_api, [(application, spent(application.zoho))] * 8)

    (document,) = documents()
    assert document["id"] == imported["id"]
    assert {outcome.access_token for outcome in outcomes} == {document["access_token"]}
    assert application.zoho.count("grant") == 1
    assert application.zoho.count("refresh") == int(is_expired)
