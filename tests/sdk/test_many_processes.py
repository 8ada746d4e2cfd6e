"""Many processes at once, each with the SDK and a user of its own."""

import pytest

from tests.engines import SERVERS
from tests.processes import in_processes
from tests.sdk.application import Application, call_api, login, name_of
from tests.sdk.stored import Documents, as_contents

USERS = [f"user{number}@example.com" for number in range(12)]

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)


def test_each_logs_its_user_in(application: Application, documents: Documents) -> None:
    logins = [(application, login(application.zoho, user)) for user in USERS]

    outcomes = in_processes(call_api, logins)

    assert [outcome.users for outcome in outcomes] == [[user] for user in USERS]
    by_name = {document["user_name"]: as_contents(document) for document in documents()}
    assert by_name == {
        name_of(user): outcome.token for user, outcome in zip(USERS, outcomes, strict=True)
    }
    assert len({fields["id"] for fields in by_name.values()}) == len(USERS)
    assert application.zoho.count("grant") == len(USERS)


def test_one_user_who_logs_in_everywhere_has_one_document(
    application: Application, documents: Documents
) -> None:
    logins = [(application, login(application.zoho)) for _ in range(8)]

    outcomes = in_processes(call_api, logins)

    (document,) = documents()
    assert {outcome.token["id"] for outcome in outcomes} == {document["id"]}
    assert {outcome.token["user_name"] for outcome in outcomes} == {document["user_name"]}
    assert document["refresh_token"] in {outcome.token["refresh_token"] for outcome in outcomes}
