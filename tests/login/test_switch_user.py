"""What docs/guides/login.md says of the SDK's own ways to change the user."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.processes import in_threads
from tests.sdk.version import SDK_LINE
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import Initializer, OAuthToken, current_initializer, zoho_data_centers
from zoho_mongo_store.testing import fresh_sdk, mock_store

US, EU = (zoho_data_centers("production")[name] for name in ("us", "eu"))
FAR_FUTURE = "9795529348123"


class NoRequest(OAuthToken):
    """A token that the SDK takes as it is."""

    def generate_token(self) -> None:
        """Nothing to get."""


@pytest.fixture
def store(resource_path: str) -> Iterator[MongoTokenStore]:
    with fresh_sdk(), mock_store() as store:
        Initializer.initialize(US, NoRequest(access_token="nobody"), store, None, resource_path)
        yield store


def user_now() -> str | None:
    initializer: Any = current_initializer()
    user: str | None = initializer.token.get_access_token()
    return user


def test_switch_user_leaves_the_user_behind(store: MongoTokenStore) -> None:
    def serve() -> None:
        Initializer.switch_user(token=NoRequest(access_token="ada"))

    def serve_two_requests() -> str | None:
        serve()
        return user_now()

    assert in_threads(serve_two_requests, [()]) == ["ada"]
    assert user_now() == "nobody"
    assert store.get_tokens() == []


def test_switch_user_drops_the_proxy(store: MongoTokenStore) -> None:
    process: Any = Initializer.initializer
    process.request_proxy = object()
    Initializer.switch_user(token=NoRequest(access_token="ada"))

    switched: Any = current_initializer()
    assert switched.request_proxy is None
    assert switched.store is store


def test_switch_user_and_the_data_center(store: MongoTokenStore) -> None:
    grace = make_token(user_name="grace", access_token="a", expires_in=FAR_FUTURE)
    grace.set_api_domain(EU.url)
    store.save_token(grace)

    Initializer.switch_user(token=make_token(user_name="grace"))

    process: Any = Initializer.initializer
    switched: Any = current_initializer()
    seen = (process.environment.url, switched.environment.url)
    assert seen == ((US.url, EU.url) if SDK_LINE >= 8 else (EU.url, US.url))


@pytest.mark.skipif(SDK_LINE < 8, reason="initialize of this SDK is for the thread too")
def test_initialize_changes_the_user_of_other_threads(store: MongoTokenStore) -> None:
    def initialize() -> None:
        Initializer.initialize(US, NoRequest(access_token="ada"), store)

    in_threads(initialize, [()])

    assert user_now() == "ada"
