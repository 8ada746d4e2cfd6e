"""The loopback Zoho with its two data centres."""

import pytest

from zoho_mongo_store.testing import LoopbackZoho


@pytest.fixture
def zoho(loopback_zoho: LoopbackZoho) -> LoopbackZoho:
    """Its first data centre."""
    return loopback_zoho


@pytest.fixture
def eu(zoho: LoopbackZoho) -> LoopbackZoho:
    """The other one."""
    return zoho.data_center("eu")
