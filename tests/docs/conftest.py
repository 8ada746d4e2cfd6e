"""What a page's program finds around it: a MongoDB by the environment, and a loopback Zoho."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.data_centers import lead_to
from tests.engines import Engine
from tests.refresh.callers import Fleet
from zoho_mongo_store.testing import LoopbackZoho, fresh_sdk


@pytest.fixture
def fleet(
    engine: Engine, database: str, zoho: LoopbackZoho, monkeypatch: pytest.MonkeyPatch
) -> Fleet:
    """What a store finds that is made without a URI."""
    monkeypatch.setenv("ZOHO_MONGO_URI", engine.uri_of(database))
    return Fleet(engine.uri, database, zoho)


@pytest.fixture
def page_folder(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The working directory of a page's program, whose calls go to the loopback Zoho."""
    settings = {
        "ZOHO_URL": fleet.zoho.url,
        "ZOHO_CLIENT_ID": fleet.zoho.client_id,
        "ZOHO_CLIENT_SECRET": fleet.zoho.client_secret,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    lead_to(fleet.zoho.environment, monkeypatch.setattr)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with fresh_sdk():
        yield tmp_path
