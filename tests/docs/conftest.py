"""A fleet that a program finds which makes its store without a URI."""

import pytest

from tests.engines import Engine
from tests.refresh.callers import Fleet
from zoho_mongo_store.testing import LoopbackZoho


@pytest.fixture
def fleet(
    engine: Engine, database: str, zoho: LoopbackZoho, monkeypatch: pytest.MonkeyPatch
) -> Fleet:
    """What a store finds that is made without a URI."""
    monkeypatch.setenv("ZOHO_MONGO_URI", engine.uri.replace("/?", f"/{database}?"))
    return Fleet(engine.uri, database, zoho)
