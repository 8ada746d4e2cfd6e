"""README: short, its ten lines run, and its links work outside the repository."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from zohocrmsdk.src.com.zoho.crm.api.dc.us_data_center import USDataCenter

from tests.docs.pages import DOCS, README, ROOT, blocks, run
from tests.engines import Engine
from tests.project import URLS
from zoho_mongo_store.sdk import Initializer
from zoho_mongo_store.testing import LoopbackZoho

TEXT = README.read_text()
LINES = 120
TARGETS = re.findall(r"\]\(([^)]+)\)", TEXT)
# What serves the repository's files, the pages of the site, and images.
FILES = f"{URLS['Source']}/blob/main/"
SITE = URLS["Documentation"]
IMAGES = "https://raw.githubusercontent.com/zoho-mongo-store/zoho-mongo-store/main/"


def test_the_ten_lines(
    running_engines: Callable[[str], Engine],
    zoho: LoopbackZoho,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    engine = running_engines("mongodb")
    (block,) = [one for one in blocks(TEXT) if one.language == "python"]
    program = block.text.replace("mongodb://localhost:27017", engine.uri_of("readme"))
    assert "/readme" in program
    monkeypatch.setenv("ZOHO_CLIENT_ID", zoho.client_id)
    monkeypatch.setenv("ZOHO_CLIENT_SECRET", zoho.client_secret)
    monkeypatch.setenv("ZOHO_GRANT_TOKEN", zoho.grant())
    monkeypatch.setattr(USDataCenter, "PRODUCTION", zoho.environment)
    monkeypatch.setattr(Initializer, "initializer", None)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    try:
        run(program, README, names)
        (stored,) = names["store"].get_tokens()
    finally:
        names["store"].close()
        engine.client.drop_database("readme")

    assert stored.get_refresh_token() == names["token"].get_refresh_token()
    assert zoho.count("grant") == 1
    assert len(program.strip().splitlines()) <= 10


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= LINES


@pytest.mark.parametrize("target", sorted(set(TARGETS)))
def test_a_link_works_on_a_package_index(target: str) -> None:
    assert target.startswith("https://")
    for prefix, folder in ((FILES, ROOT), (IMAGES, ROOT)):
        if target.startswith(prefix):
            assert (folder / target.removeprefix(prefix)).is_file()
    if target.startswith(SITE):
        page = target.removeprefix(SITE).rstrip("/")
        assert (DOCS / f"{page}.md").is_file()


def test_the_site_is_where_the_links_lead() -> None:
    # Its tags are of MkDocs alone.
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text())

    assert site["site_url"] == SITE
    assert site["repo_url"] == URLS["Source"]


@pytest.mark.parametrize(
    "file",
    ["README.md", "docs/start/ten-lines.md", ".github/ISSUE_TEMPLATE/config.yml", "mkdocs.yml"],
)
def test_the_project_has_one_address(file: str) -> None:
    text = (ROOT / file).read_text()
    addresses = re.findall(r"https://github\.com/[\w-]+/zoho-mongo-store\b", text)

    assert set(addresses) == {URLS["Source"]}
