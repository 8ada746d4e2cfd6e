"""What ``web_users.py`` says of the SDK's threading, seen by running it."""

import os
import runpy
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from tests.examples.test_examples import EXAMPLES
from tests.processes import in_processes
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import Initializer, OAuthToken, SDKException
from zoho_mongo_store.testing import LoopbackZoho

USERS = ["ada", "grace"]


class NoRequest(OAuthToken):
    """A token that the SDK takes as it is."""

    def generate_token(self) -> None:
        """Nothing to get."""


def test_initialize_mixes_users_up(zoho: LoopbackZoho) -> None:
    [seen] = in_processes(users_seen_after, [("initialize", zoho)])

    assert seen in (["ada", "ada"], ["grace", "grace"])


def test_switch_user_is_for_one_thread(zoho: LoopbackZoho) -> None:
    [seen] = in_processes(users_seen_after, [("switch_user", zoho)])

    assert seen == USERS


def test_each_request_is_its_own_user(zoho: LoopbackZoho) -> None:
    [seen] = in_processes(users_seen_in_requests, [(zoho,)])

    assert seen == USERS


def test_whoever_forgets_to_switch_is_nobody(zoho: LoopbackZoho) -> None:
    [refused] = in_processes(refusals, [(zoho,)])

    assert refused == ["PermissionError"] * 2
    assert zoho.requests() == []


def users_seen_after(method: str, zoho: LoopbackZoho) -> list[str | None]:
    """Whom each of two threads acts as, once both have called ``method`` with their own user."""
    # Without a store the SDK makes a file in the working folder; this one is never connected.
    store = MongoTokenStore()
    Initializer.initialize(zoho.environment(), NoRequest(access_token="nobody"), store)
    call: Callable[..., None] = getattr(Initializer, method)
    options = {"store": store} if method == "initialize" else {}

    def act_as(token: OAuthToken) -> AbstractContextManager[None]:
        call(environment=zoho.environment(), token=token, **options)
        return nullcontext()

    return users_seen(act_as)


def users_seen_in_requests(zoho: LoopbackZoho) -> list[str | None]:
    """Whom each of two threads acts as in the block that the example serves a request in."""
    return users_seen(web_users(zoho)["acting_as"])


def users_seen(act_as: Callable[[OAuthToken], AbstractContextManager[None]]) -> list[str | None]:
    both_act = threading.Barrier(len(USERS), timeout=60)

    def serve(user: str) -> str | None:
        with act_as(NoRequest(access_token=user)):
            both_act.wait()
            initializer: Any = Initializer.get_initializer()
            seen: str | None = initializer.token.get_access_token()
            both_act.wait()
            return seen

    with ThreadPoolExecutor(len(USERS)) as threads:
        return list(threads.map(serve, USERS))


def refusals(zoho: LoopbackZoho) -> list[str]:
    """Why the SDK refuses an API call before a switch, and after the block that switched."""
    example = web_users(zoho)
    call_zoho = example["OrgOperations"]().get_organization
    first = refusal(call_zoho)
    with example["acting_as"](NoRequest(access_token="ada")):
        pass
    return [first, refusal(call_zoho)]


def refusal(call: Callable[[], object]) -> str:
    try:
        call()
    except SDKException as error:
        return type(error.cause).__name__
    return "none"


def web_users(zoho: LoopbackZoho) -> dict[str, Any]:
    """The names in the example, run in this process, which is the test's own."""
    os.environ.update(ZOHO_URL=zoho.url, ZOHO_CLIENT_ID="client", ZOHO_CLIENT_SECRET="secret")
    sys.path.insert(0, str(EXAMPLES))
    return runpy.run_path(str(EXAMPLES / "web_users.py"))
