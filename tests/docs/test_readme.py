"""The README's program runs, its options are the store's, and its links lead somewhere."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from zohocrmsdk.src.com.zoho.crm.api.dc.us_data_center import USDataCenter

from tests.engines import Engine
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import Initializer
from zoho_mongo_store.testing import LoopbackZoho

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_ten_lines(
    running_engines: Callable[[str], Engine],
    zoho: LoopbackZoho,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    engine = running_engines("mongodb")
    program = PROGRAMS[0].replace("mongodb://localhost:27017", engine.uri.replace("/?", "/readme?"))
    assert "/readme?" in program
    monkeypatch.setenv("ZOHO_CLIENT_ID", zoho.client_id)
    monkeypatch.setenv("ZOHO_CLIENT_SECRET", zoho.client_secret)
    monkeypatch.setenv("ZOHO_GRANT_TOKEN", zoho.grant())
    monkeypatch.setattr(USDataCenter, "PRODUCTION", zoho.environment)
    monkeypatch.setattr(Initializer, "initializer", None)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    try:
        exec(program, names)  # noqa: S102 - the README's own
        (stored,) = names["store"].get_tokens()
    finally:
        names["store"].close()
        engine.client.drop_database("readme")

    assert stored.get_refresh_token() == names["token"].get_refresh_token()
    assert zoho.count("grant") == 1
    assert len(program.strip().splitlines()) <= 10


def test_the_options_are_the_stores() -> None:
    named = re.findall(r"^\| `(\w+)` \|", README.partition("## Options")[2], re.MULTILINE)

    assert named == list(inspect.signature(MongoTokenStore).parameters)


def test_every_link_leads_to_a_file() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]

    assert [link for link in links if not (ROOT / link.partition("#")[0]).exists()] == []
    assert links
