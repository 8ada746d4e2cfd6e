"""``OAuthToken.revoke`` and ``OAuthToken.remove``: that token's, and no other's."""

import pytest

from tests.sdk.application import CLIENT, Application, call_api, log_in, login
from tests.sdk.stored import Documents
from tests.sdk.version import REVOKES
from tests.tokens import make_token
from zoho_mongo_store.sdk import SDKException

USERS = ("ada@example.com", "grace@example.com", "mary@example.com")


@pytest.fixture
def logged_in(application: Application, documents: Documents) -> Documents:
    """The documents of three users who are logged in."""
    application.run(log_in, *USERS)
    return documents


def revoke(application: Application, own_id: str, id: str) -> bool | str | None:
    """What revoking ``id`` returns in the SDK of another user, or the code of its error."""
    token = make_token(id=own_id)
    with application.initialized(token):
        try:
            return token.revoke(id)
        except SDKException as error:
            return error.code


@pytest.mark.skipif(not REVOKES, reason="revoke of this SDK always raises")
@pytest.mark.parametrize("position", range(len(USERS)))
def test_revokes_that_token(application: Application, logged_in: Documents, position: int) -> None:
    before = logged_in()
    chosen, others = before[position], [one for one in before if one is not before[position]]

    assert application.run(revoke, others[0]["id"], chosen["id"]) is True

    zoho = application.zoho
    assert zoho.count("revoke") == zoho.count("revoke", chosen["refresh_token"]) == 1
    assert not zoho.is_live(chosen["access_token"])
    assert all(zoho.is_live(other["access_token"]) for other in others)
    assert logged_in() == before


@pytest.mark.skipif(not REVOKES, reason="revoke of this SDK always raises")
def test_revokes_nothing_for_an_unknown_id(application: Application, logged_in: Documents) -> None:
    assert application.run(revoke, logged_in()[0]["id"], "unknown") is False

    assert application.zoho.count("revoke") == 0


@pytest.mark.skipif(REVOKES, reason="revoke of this SDK works")
def test_the_revoke_of_older_sdks_reaches_neither_store_nor_zoho(
    application: Application, logged_in: Documents
) -> None:
    """It makes an ``OAuthToken()``, which the SDK's own constructor refuses."""
    before = logged_in()

    code = application.run(revoke, before[0]["id"], before[1]["id"])

    assert code == "MANDATORY VALUE ERROR"
    assert application.zoho.count("revoke") == 0
    assert logged_in() == before


def remove(application: Application, id: str) -> list[bool]:
    """What removing the token with this id returns, the first and the second time."""
    token = make_token(id=id)
    with application.initialized(token):
        return [token.remove(), token.remove()]


def test_removes_that_token(application: Application, logged_in: Documents) -> None:
    first, second, third = logged_in()

    assert application.run(remove, second["id"]) == [True, True]

    assert logged_in() == [first, third]


def test_a_removed_user_can_log_in_again(application: Application, logged_in: Documents) -> None:
    before = logged_in()
    application.run(remove, before[0]["id"])

    outcome = application.run(call_api, login(application.zoho, USERS[0]))

    assert outcome.users == [USERS[0]]
    *others, document = logged_in()
    assert others == before[1:]
    assert document["user_name"] == before[0]["user_name"]
    assert document["refresh_token"] != before[0]["refresh_token"]


def test_a_removed_grant_token_is_not_found(application: Application, logged_in: Documents) -> None:
    before = logged_in()
    application.run(remove, before[0]["id"])
    used = {**CLIENT, "grant_token": before[0]["grant_token"]}

    assert application.run(initialize, used) == "INVALID TOKEN ERROR"

    assert logged_in() == before[1:]


def initialize(application: Application, fields: dict[str, str]) -> str | None:
    """The code of the error that initializing raises."""
    try:
        with application.initialized(make_token(**fields)):
            return None
    except SDKException as error:
        return error.code
