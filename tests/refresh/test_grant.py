"""Instances that start with one grant token make one exchange and share its result."""

from typing import Any

import pytest

from tests.engines import SERVERS
from tests.processes import in_processes
from tests.sdk.application import USER, Application, Outcome, call_api, login, nameless_login
from tests.sdk.stored import Documents
from tests.tokens import make_token
from zoho_mongo_store.sdk import REFUSED, SDKException

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

PROCESSES = 16


@pytest.mark.parametrize("fields_of", [login, nameless_login])
def test_one_exchange_for_all(
    application: Application, documents: Documents, fields_of: Any
) -> None:
    fields = fields_of(application.zoho)

    outcomes: list[Outcome] = in_processes(call_api, [(application, fields)] * PROCESSES)

    (document,) = documents()
    assert {outcome.access_token for outcome in outcomes} == {document["access_token"]}
    assert {outcome.token["id"] for outcome in outcomes} == {document["id"]}
    assert [outcome.users for outcome in outcomes] == [[USER]] * PROCESSES
    assert application.zoho.count("grant") == 1
    assert application.zoho.count("refresh") == 0
    assert document["grant_token"] == fields["grant_token"]
    assert application.zoho.is_live(document["access_token"])
    assert ("user_name" in document) is (fields_of is login)


def test_the_exchange_hands_out_the_refresh_token_too(
    application: Application, documents: Documents
) -> None:
    fields = login(application.zoho)

    outcomes: list[Outcome] = in_processes(call_api, [(application, fields)] * 4)

    (document,) = documents()
    assert {outcome.token["refresh_token"] for outcome in outcomes} == {document["refresh_token"]}
    assert application.zoho.access_token(document["refresh_token"])


def initialize(application: Application, fields: dict[str, Any]) -> tuple[str | None, str]:
    """The code and the text of the error that initializing raises."""
    try:
        with application.initialized(make_token(**fields)):
            return None, ""
    except SDKException as error:
        return error.code, str(error)


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        ("invalid_code", REFUSED, "at the user's data centre"),
        ("garbage", "Exception in saving tokens", "not JSON"),
    ],
)
def test_all_get_the_error_of_the_one_exchange(
    application: Application, documents: Documents, failure: Any, code: str, message: str
) -> None:
    application.zoho.configure(failure=failure, delay=8)
    fields = login(application.zoho)

    outcomes = in_processes(initialize, [(application, fields)] * 8)

    assert {found for found, _ in outcomes} == {code}
    assert all(message in text for _, text in outcomes)
    assert [text for _, text in outcomes if fields["grant_token"] in text] == []
    assert application.zoho.count("grant") == 1
    assert documents() == []


def test_without_a_policy_all_but_one_lose_the_grant_token(application: Application) -> None:
    """What the coordination saves from: the control of the tests above."""
    # The last has to ask before the first has its answer.
    application.zoho.configure(delay=8)
    application.store_options["refresh"] = None
    fields = login(application.zoho)

    outcomes = in_processes(initialize, [(application, fields)] * 6)

    assert sorted(code or "" for code, _ in outcomes) == sorted(["", *[REFUSED] * 5])
    assert application.zoho.count("grant") == 6


def test_a_second_login_of_the_same_user_joins_the_document(
    application: Application, documents: Documents
) -> None:
    first = login(application.zoho)
    application.run(call_api, first)
    (before,) = documents()
    second = {**login(application.zoho)}
    in_processes(call_api, [(application, second)] * 4)

    (document,) = documents()
    assert document["id"] == before["id"]
    assert application.zoho.count("grant") == 2
