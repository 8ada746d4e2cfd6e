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
    """A handle on the module's server, which is as if it had just been started."""
    server.reset()
    return LoopbackZoho.at(server.url)


@pytest.fixture
def eu(zoho: LoopbackZoho) -> LoopbackZoho:
    """The other data centre of ``zoho``."""
    return zoho.data_center("eu")
