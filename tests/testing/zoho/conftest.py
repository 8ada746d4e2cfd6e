"""One loopback Zoho with two data centres for all tests of a module."""

from collections.abc import Iterator

import pytest

from zoho_mongo_store.testing import LoopbackZoho


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackZoho]:
    with LoopbackZoho(("us", "eu")) as zoho:
        yield zoho


@pytest.fixture
def zoho(server: LoopbackZoho) -> LoopbackZoho:
    """A handle on the module's server, which behaves normally and has seen no request."""
    handle = LoopbackZoho.at(server.url)
    handle.configure(
        delay=0, lifetime=3600, failure=None, hang=60, throttle_status=400, users_failure=False
    )
    handle.clear()
    return handle


@pytest.fixture
def eu(zoho: LoopbackZoho) -> LoopbackZoho:
    """The other data centre of ``zoho``."""
    handle = zoho.data_center("eu")
    handle.clear()
    return handle
