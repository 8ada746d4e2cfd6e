"""Blocks that act as a user: in this thread alone, and as nobody afterwards."""

import asyncio
import inspect
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib import import_module
from typing import Any

import pytest

from tests.login.conftest import ADA, GRACE, NAMES, Site
from tests.processes import in_threads
from tests.sdk.application import current_user
from tests.sdk.stored import expire_all
from zoho_mongo_store import LoginRequiredError, MongoTokenStore, ZohoUser, acting_as
from zoho_mongo_store.login import NoUserError
from zoho_mongo_store.sdk import Initializer, OAuthToken, current_initializer, organization_id

pytestmark = pytest.mark.usefixtures("login")


def refused() -> bool:
    """Whether an API call is refused, for there is no user."""
    with pytest.raises(NoUserError, match="acting_as"):
        current_user()
    return True


def test_acts_as_the_user_and_then_as_nobody(site: Site) -> None:
    ada, grace = site.log_in(ADA, GRACE)
    site.us.clear()
    site.eu.clear()

    assert refused()
    with acting_as(ada.name):
        assert (current_user(), organization_id()) == (ADA, "10001")
    assert refused()
    with acting_as(id=grace.id):
        assert (current_user(), organization_id()) == (GRACE, "20002")
    assert refused()
    with acting_as(ada):
        assert current_user() == ADA

    assert [request.kind for request in site.us.requests()] == ["users", "org", "users"]
    assert [request.kind for request in site.eu.requests()] == ["users", "org"]


def test_nested(site: Site) -> None:
    ada, grace = site.log_in(ADA, GRACE)

    with acting_as(ada):
        with acting_as(grace):
            with acting_as(ada):
                assert current_user() == ADA
            assert current_user() == GRACE
        assert current_user() == ADA
    assert refused()


def test_back_to_nobody_after_an_error(site: Site) -> None:
    ada, grace = site.log_in(ADA, GRACE)

    with acting_as(ada):
        with pytest.raises(ZeroDivisionError), acting_as(grace):
            raise ZeroDivisionError
        assert current_user() == ADA
    with pytest.raises(ZeroDivisionError), acting_as(ada):
        raise ZeroDivisionError
    assert refused()


def test_threads_act_as_their_own_users_at_once(site: Site) -> None:
    users = site.log_in(ADA, GRACE)
    all_act = threading.Barrier(4, timeout=60)

    def serve(number: int) -> set[str]:
        with acting_as(users[number % 2]):
            all_act.wait()
            return {current_user() for _ in range(20)}

    assert in_threads(serve, [(number,) for number in range(4)]) == [{ADA}, {GRACE}] * 2


def test_a_thread_begins_as_nobody(site: Site) -> None:
    (ada,) = site.log_in(ADA)

    with acting_as(ada), ThreadPoolExecutor(1) as threads:
        assert threads.submit(refused).result()


def test_a_pooled_thread_ends_as_nobody(site: Site) -> None:
    (ada,) = site.log_in(ADA)

    def serve() -> str:
        with acting_as(ada):
            return current_user()

    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(serve).result() == ADA
        assert threads.submit(refused).result()


def test_refreshes_where_the_user_is(store: MongoTokenStore, site: Site) -> None:
    users = site.log_in(ADA, GRACE)
    expire_all(store.collection)

    for user, email in zip(users, (ADA, GRACE), strict=True):
        with acting_as(user):
            assert current_user() == email
    assert (site.us.count("refresh"), site.eu.count("refresh")) == (1, 1)


def test_raises_at_once_in_a_coroutine(site: Site) -> None:
    (ada,) = site.log_in(ADA)
    entered = []

    async def serve() -> None:
        with acting_as(ada):
            entered.append(ada)

    with pytest.raises(RuntimeError, match="run_in_threadpool"):
        asyncio.run(serve())
    assert entered == []


def test_works_in_a_thread_of_a_coroutines(site: Site) -> None:
    ada, grace = site.log_in(ADA, GRACE)

    def serve(user: Any) -> str:
        with acting_as(user):
            return current_user()

    async def serve_all() -> list[str]:
        requests = (asyncio.to_thread(serve, user) for user in (ada, grace) * 8)
        return await asyncio.gather(*requests)

    assert asyncio.run(serve_all()) == [ADA, GRACE] * 8


def test_whom_nobody_knows_has_to_log_in() -> None:
    with pytest.raises(LoginRequiredError), acting_as("eve@example.com:1"):
        pytest.fail("entered")
    with pytest.raises(LoginRequiredError), acting_as(id="unknown"):
        pytest.fail("entered")
    assert refused()


@pytest.mark.parametrize(("user", "is_told"), [("ada@example.com", True), ("eve:1", False)])
def test_tells_what_a_users_name_is(site: Site, user: str, is_told: bool) -> None:
    site.log_in(ADA)
    with pytest.raises(LoginRequiredError) as required, acting_as(user):
        pytest.fail("entered")
    assert ("such as ada@example.com:10001" in str(required.value)) is is_told


@pytest.mark.parametrize("user", [None, ""])
def test_nobody_logged_in(user: str | None) -> None:
    with pytest.raises(NoUserError, match="nobody is logged in"), acting_as(user):
        pytest.fail("entered")


def test_refuses_what_json_made_of_a_user(site: Site) -> None:
    [ada] = site.log_in(ADA)
    kept = json.loads(json.dumps(ada))

    with pytest.raises(TypeError, match=r"not list: .* keep its name"), acting_as(kept):
        pytest.fail("entered")
    with acting_as(ZohoUser(*kept)):
        assert current_user() == ADA


def test_takes_one_user() -> None:
    with pytest.raises(TypeError, match="not both"), acting_as("ada", id="1"):
        pytest.fail("entered")


def test_blocks_that_end_out_of_order_leave_nobody(site: Site) -> None:
    ada, grace = site.log_in(ADA, GRACE)
    first, second = ExitStack(), ExitStack()
    first.enter_context(acting_as(ada))
    second.enter_context(acting_as(grace))

    first.close()
    assert current_user() == GRACE
    second.close()
    assert refused()


def test_a_block_that_ends_in_another_thread_leaves_nobody(site: Site) -> None:
    ada, grace = site.log_in(ADA, GRACE)
    block = ExitStack()
    block.enter_context(acting_as(ada))

    def end() -> str:
        with acting_as(grace):
            block.close()
            return current_user()

    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(end).result() == GRACE
    assert refused()


def other_user() -> None:
    Initializer.initializer.token = OAuthToken(access_token="of somebody")  # type: ignore[union-attr]


def nothing() -> None:
    Initializer.initializer = None


@pytest.mark.parametrize("change", [other_user, nothing])
def test_refuses_an_sdk_that_is_not_initialized_for_nobody(
    site: Site, change: Callable[[], None]
) -> None:
    (ada,) = site.log_in(ADA)
    change()

    with pytest.raises(RuntimeError, match=r"ZohoLogin\.initialize"), acting_as(ada):
        pytest.fail("entered")


def test_keeps_what_the_sdk_was_initialized_with(site: Site) -> None:
    (ada,) = site.log_in(ADA)
    process: Any = Initializer.initializer
    process.request_proxy = object()

    with acting_as(ada):
        own: Any = current_initializer()
        assert own is not process
        for name in ("request_proxy", "sdk_config", "resource_path", "store"):
            assert getattr(own, name) is getattr(process, name)
        own.environment = None
    assert process.environment.url == site.us.url
    assert NAMES[ADA] == ada.name


def test_records_are_refused_without_a_user_and_read_with_one(site: Site) -> None:
    (ada,) = site.log_in(ADA)
    site.us.add_record("Contacts", {"Last_Name": "Lovelace"})
    site.us.clear()
    record = import_module("zohocrmsdk.src.com.zoho.crm.api.record")
    api = import_module("zohocrmsdk.src.com.zoho.crm.api")

    def names() -> list[str]:
        parameters = api.ParameterMap()
        parameters.add(record.GetRecordsParam.fields, "Last_Name")
        answer = get_records(parameters).get_object()
        return [one.get_key_value("Last_Name") for one in answer.get_data()]

    def get_records(parameters: object) -> Any:
        if "module_api_name" in inspect.signature(record.RecordOperations.__init__).parameters:
            return record.RecordOperations("Contacts").get_records(parameters)
        return record.RecordOperations().get_records("Contacts", parameters)

    with pytest.raises(NoUserError):
        names()
    assert site.us.requests() == []
    with acting_as(ada):
        assert names() == ["Lovelace"]
