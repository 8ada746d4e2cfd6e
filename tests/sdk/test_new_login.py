"""A user logs in again: the login is used, whatever it replaces is not, and Zoho is asked once.

The matrix: what is brought (a grant or a refresh token, with a name or without) x whether the
stored access token still counts as valid x how the stored login came to be, each by eight processes
at once, which then all start once more with the same credential.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.processes import in_processes
from tests.sdk.application import CLIENT, USER, Application, Outcome, call_api, name_of
from tests.sdk.stored import Documents
from tests.sdk.version import FINDS_USER
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LoopbackZoho, fresh_sdk

Fields = dict[str, Any]

PROCESSES = 8
NAME = {"user_name": name_of(USER)}

states = pytest.mark.parametrize("is_expired", [False, True], ids=["valid", "expired"])


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


def start_twice(application: Application, fields: Fields) -> list[Outcome]:
    """Two starts of one application, each with a store and a token of its own."""
    outcomes = []
    for _ in range(2):
        with fresh_sdk():
            outcomes.append(call_api(application, fields))
    return outcomes


def start_all(application: Application, configured: Sequence[Fields]) -> list[Outcome]:
    """Start an application twice for each configuration; what each saw that time.

    All are processes that begin together, but for an engine that lives in this one only.
    """
    if "client" in application.store_options:
        outcomes = [application.run(start_twice, fields) for fields in configured]
    else:
        outcomes = in_processes(start_twice, [(application, fields) for fields in configured])
    return [outcome for starts in outcomes for outcome in starts]


def revoked(application: Application) -> None:
    """Log in by a grant token, and have the user revoke that at Zoho."""
    token = application.run(call_api, {**grant(application.zoho), **NAME}).token
    application.zoho.revoke(token["refresh_token"])


def imported(application: Application) -> None:
    """Store a login that works, without the grant token that it began with."""
    refresh_token = application.zoho.refresh_token()
    fields = {
        "refresh_token": refresh_token,
        "access_token": application.zoho.access_token(refresh_token),
        "expires_in": "4102444800000",
    }
    with MongoTokenStore(**application.store_options) as store:
        store.save_token(make_token(**CLIENT, **NAME, **fields))


def begin(
    store: Callable[[Application], None],
    application: Application,
    documents: Documents,
    expire: Callable[[], None],
    *,
    is_expired: bool,
) -> Fields:
    """Store a login, and let its access token expire; its document."""
    store(application)
    if is_expired:
        expire()
    (document,) = documents()
    return document


def asked(zoho: LoopbackZoho, credential: str | None = None) -> int:
    """How many requests Zoho has received: for this credential, or for all."""
    return zoho.count("grant", credential) + zoho.count("refresh", credential)


@states
@pytest.mark.parametrize("before", [revoked, imported])
@pytest.mark.parametrize("way", LOGINS)
def test_the_login_replaces_what_is_stored(
    application: Application,
    documents: Documents,
    expire: Callable[[], None],
    before: Callable[[Application], None],
    way: str,
    is_expired: bool,
) -> None:
    replaced = begin(before, application, documents, expire, is_expired=is_expired)
    login = LOGINS[way](application.zoho)
    application.zoho.clear()

    outcomes = start_all(application, [login] * PROCESSES)

    # Without a name, SDK 5 does not find out who logged in: the login is a document of its own.
    is_found_by_name = FINDS_USER or "user_name" in login
    *others, document = documents()
    assert others == ([] if is_found_by_name else [replaced])
    assert (document["id"] == replaced["id"]) is is_found_by_name
    for field in ("access_token", "refresh_token"):
        assert document[field] != replaced[field]
    assert application.zoho.is_live(document["access_token"])
    assert {outcome.access_token for outcome in outcomes} == {document["access_token"]}
    assert [outcome.users for outcome in outcomes] == [[USER]] * len(outcomes)
    credential = login.get("grant_token") or login["refresh_token"]
    assert asked(application.zoho) == asked(application.zoho, credential) == 1


@states
def test_a_credential_that_stays_in_the_environment_starts_no_login(
    application: Application,
    documents: Documents,
    expire: Callable[[], None],
    is_expired: bool,
) -> None:
    """Whether it is the one that is stored, or what a later login replaced."""
    revoked(application)
    (old,) = documents()
    application.run(call_api, {**grant(application.zoho), **NAME})
    if is_expired:
        expire()
    (stored,) = documents()
    application.zoho.clear()
    configured: list[Fields] = [
        {**CLIENT, **NAME, field: known[field]}
        for known in (old, stored)
        for field in ("grant_token", "refresh_token")
    ]

    outcomes = start_all(application, configured * 2)

    (document,) = documents()
    assert (document["access_token"] != stored["access_token"]) is is_expired
    assert {outcome.access_token for outcome in outcomes} == {document["access_token"]}
    assert {outcome.token["refresh_token"] for outcome in outcomes} == {stored["refresh_token"]}
    assert application.zoho.count("grant") == 0
    assert asked(application.zoho) == asked(application.zoho, stored["refresh_token"])
    assert asked(application.zoho) == int(is_expired)


def spent(_: LoopbackZoho) -> Fields:
    """A grant token that stays in the environment, although it was exchanged long ago."""
    return {**CLIENT, **NAME, "grant_token": "1000.spent"}


def refused(zoho: LoopbackZoho) -> Fields:
    """A refresh token that was revoked before it was ever stored."""
    refresh_token = zoho.refresh_token()
    zoho.revoke(refresh_token)
    return {**CLIENT, **NAME, "refresh_token": refresh_token}


@states
@pytest.mark.parametrize("brought", [spent, refused])
def test_a_login_that_zoho_refuses_leaves_the_stored_one_in_use(
    application: Application,
    documents: Documents,
    expire: Callable[[], None],
    brought: Callable[[LoopbackZoho], Fields],
    is_expired: bool,
) -> None:
    stored = begin(imported, application, documents, expire, is_expired=is_expired)
    login = brought(application.zoho)
    application.zoho.clear()

    outcomes = start_all(application, [login] * PROCESSES)

    (document,) = documents()
    assert document["id"] == stored["id"]
    assert document["refresh_token"] == stored["refresh_token"]
    assert (document["access_token"] != stored["access_token"]) is is_expired
    assert {outcome.access_token for outcome in outcomes} == {document["access_token"]}
    assert [outcome.users for outcome in outcomes] == [[USER]] * len(outcomes)
    credential = login.get("grant_token") or login["refresh_token"]
    assert asked(application.zoho, credential) == 1
    assert asked(application.zoho, stored["refresh_token"]) == int(is_expired)
    assert asked(application.zoho) == 1 + int(is_expired)
