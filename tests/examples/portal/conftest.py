"""One portal and one browser for the tests here."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.engines import Engine
from tests.examples.portal.browser import running_chromium
from tests.examples.portal.site import Site, running_portal

Profile = Callable[[], Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def running_site(
    running_engines: Callable[[str], Engine], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    engine, database = running_engines("mongodb"), f"test_{uuid.uuid4().hex}"
    folder = tmp_path_factory.mktemp("portal")
    with running_portal(engine.client, engine.uri, database, folder) as site:
        yield site
        engine.client.drop_database(database)


@pytest.fixture
def site(running_site: Site) -> Site:
    """The running portal, which knows no user."""
    running_site.fresh()
    return running_site


@pytest.fixture
def profile(browser: Browser) -> Iterator[Profile]:
    """Opens a page in a browser profile of its own."""
    contexts: list[BrowserContext] = []

    def open_page() -> Page:
        contexts.append(browser.new_context(viewport={"width": 1200, "height": 800}))
        contexts[-1].set_default_timeout(30_000)
        return contexts[-1].new_page()

    yield open_page
    for context in contexts:
        context.close()
