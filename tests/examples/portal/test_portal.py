"""The portal in a real browser, against the loopback Zoho's own authorize page."""

import json
import socket
from base64 import urlsafe_b64decode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.examples.portal.conftest import Profile
from tests.examples.portal.site import ADA, CONTACTS, GRACE, Site
from tests.refresh.moved_documents import let_time_pass

READERS = 24
SECRETS = ("access_token", "refresh_token", "grant_token", "client_secret")


def log_in(page: Page, site: Site, user: str) -> None:
    """As somebody does who comes to the portal for the first time."""
    page.goto(site.url)
    page.get_by_role("link", name="Log in with Zoho").click()
    accept(page, user)


def accept(page: Page, user: str) -> None:
    """On Zoho's page."""
    expect(page.get_by_role("heading", name="Harbour wants access to Zoho")).to_be_visible()
    page.get_by_label(user).check()
    page.get_by_role("button", name="Accept").click()
    expect_contacts(page, user)


def expect_contacts(page: Page, user: str) -> None:
    """The page shows the user's contacts and nobody else's."""
    expect(page.get_by_role("heading", name="Contacts")).to_be_visible()
    expect(page.get_by_text(user)).to_be_visible()
    names = [f"{first} {last}" for first, last, _, _ in CONTACTS[user]]
    expect(page.get_by_role("rowheader")).to_have_text(names)


def cookies_of(page: Page) -> str:
    return "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())


def test_two_users_of_two_data_centers(site: Site, profile: Profile) -> None:
    ada, grace = profile(), profile()
    log_in(ada, site, ADA)
    log_in(grace, site, GRACE)

    for _ in range(3):
        for page, user in ((ada, ADA), (grace, GRACE)):
            page.reload()
            expect_contacts(page, user)
    assert (site.us.count("grant"), site.eu.count("grant")) == (1, 1)
    assert site.tokens.count_documents({}) == 2
    log = site.log.read_text()
    assert [field for token in site.tokens.find() for field in SECRETS if token[field] in log] == []

    ada.get_by_role("button", name="Log out").click()
    expect(ada.get_by_role("link", name="Log in with Zoho")).to_be_visible()
    ada.goto(site.url)
    expect(ada.get_by_role("link", name="Log in with Zoho")).to_be_visible()
    grace.reload()
    expect_contacts(grace, GRACE)


@pytest.mark.parametrize("known", [True, False], ids=["by its date", "by Zoho alone"])
def test_expiry_under_load_is_one_refresh(site: Site, profile: Profile, known: bool) -> None:
    page = profile()
    log_in(page, site, GRACE)
    cookies = cookies_of(page)
    if known:
        past = datetime.now(UTC) - timedelta(seconds=1)
        site.tokens.update_many({}, {"$set": {"expiry_time": past}})
    site.eu.expire(site.stored(GRACE)["access_token"])

    with ThreadPoolExecutor(READERS) as threads:
        answers = list(threads.map(lambda _: site.get("/", cookies), range(READERS)))

    assert [status for status, _ in answers] == [200] * READERS
    assert all("Jean Bartik" in body for _, body in answers)
    assert (site.eu.count("refresh"), site.us.count("refresh")) == (1, 0)


def test_revoked_and_logged_in_again(site: Site, profile: Profile) -> None:
    page = profile()
    log_in(page, site, GRACE)
    site.eu.revoke(site.stored(GRACE)["refresh_token"])

    page.reload()
    expect(page.get_by_role("heading", name="One moment")).to_be_visible()
    client, database = site.tokens.database.client, site.tokens.database.name
    let_time_pass(client, database, timedelta(seconds=61))
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", name="Please log in again")).to_be_visible()
    assert site.eu.count("refresh") == 2

    page.get_by_role("link", name="Log in again").click()
    expect(page.get_by_label(GRACE)).to_be_checked()
    accept(page, GRACE)
    assert site.eu.count("refresh") == 2


def test_forged_callbacks_log_nobody_in(site: Site, profile: Profile) -> None:
    page, victim = profile(), profile()
    log_in(victim, site, ADA)
    site.us.clear()
    code = site.us.grant(ADA)

    page.goto(f"{site.url}/callback?code={code}&state=forged")
    expect(page.get_by_text("did not begin in this browser")).to_be_visible()

    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(0)
        server = quote(f"http://127.0.0.1:{stranger.getsockname()[1]}", safe="")
        page.get_by_role("link", name="Log in with Zoho").click()
        [state] = parse_qs(urlsplit(page.url).query)["state"]
        page.goto(
            f"{site.url}/callback?code={code}&state={state}&location=us&accounts-server={server}"
        )
        expect(page.get_by_text("Zoho did not confirm who you are")).to_be_visible()
        try:
            stranger.accept()
        except BlockingIOError:
            connected = False
        else:
            connected = True

    assert not connected
    assert (site.us.count("grant"), site.eu.count("grant")) == (0, 0)
    page.goto(site.url)
    expect(page.get_by_role("link", name="Log in with Zoho")).to_be_visible()
    assert code not in site.log.read_text()


def test_a_used_callback_of_somebody_elses(site: Site, profile: Profile) -> None:
    victim, thief = profile(), profile()
    callbacks: list[str] = []
    victim.on("request", lambda request: callbacks.append(request.url))
    log_in(victim, site, ADA)
    [code] = [parse_qs(urlsplit(url).query)["code"][0] for url in callbacks if "/callback" in url]

    thief.goto(f"{site.url}/login")
    [state] = parse_qs(urlsplit(thief.url).query)["state"]
    thief.goto(f"{site.url}/callback?code={code}&state={state}&location=us")

    expect(thief.get_by_text("Zoho did not confirm who you are")).to_be_visible()
    thief.goto(site.url)
    expect(thief.get_by_role("link", name="Log in with Zoho")).to_be_visible()
    assert site.us.count("grant") == 1


def test_the_user_says_no(site: Site, profile: Profile) -> None:
    page = profile()
    page.goto(f"{site.url}/login")
    page.get_by_role("button", name="Reject").click()

    expect(page.get_by_text("nothing was shared")).to_be_visible()
    assert site.us.count("grant") == 0


def test_what_a_login_leaves_in_the_browser(site: Site) -> None:
    with requests.Session() as browser:
        begun = browser.get(f"{site.url}/login", allow_redirects=False, timeout=60)
        before = session_in(browser)
        callback = site.us.accept(begun.headers["Location"], ADA)
        ended = browser.get(callback, allow_redirects=False, timeout=60)
        after = session_in(browser)
        by_link = browser.get(f"{site.url}/logout", timeout=60)

        assert (set(before), set(after)) == ({"state"}, {"user"})
        assert by_link.status_code == 405
        assert set(session_in(browser)) == {"user"}
    for answer in (begun, ended):
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        policy = answer.headers["Content-Security-Policy"]
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(policy.split("; "))


def session_in(browser: requests.Session) -> dict[str, Any]:
    """What Flask's cookie holds."""
    cookie = browser.cookies["session"]
    payload = cookie.partition(".")[0]
    content: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return content
