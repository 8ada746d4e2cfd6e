"""How the portal's pages look: at any width, with a keyboard, and with weak eyes."""

import os
import re
from pathlib import Path

import pytest

from tests.examples.portal.conftest import Profile
from tests.examples.portal.site import ADA, EXAMPLES, Site
from tests.examples.portal.test_portal import log_in

IMAGES = os.environ.get("ZOHO_PORTAL_IMAGES")
SIZES = {"desktop": (1200, 800), "phone": (390, 844)}
STYLE = (EXAMPLES / "portal" / "static" / "portal.css").read_text()


def test_fits_any_width(site: Site, profile: Profile, tmp_path: Path) -> None:
    """With ZOHO_PORTAL_IMAGES=docs/images it makes the screenshots of the docs."""
    folder = Path(IMAGES) if IMAGES else tmp_path
    page = profile()

    def shoot(name: str, size: str) -> None:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        page.screenshot(path=folder / f"portal-{name}-{size}.png")

    page.goto(f"{site.url}/login")
    shoot("zoho", "desktop")
    page.goto(site.url)
    shoot("welcome", "phone")
    shoot("welcome", "desktop")
    log_in(page, site, ADA)
    shoot("contacts", "phone")
    shoot("contacts", "desktop")


def test_works_by_keyboard(site: Site, profile: Profile) -> None:
    page = profile()
    page.goto(site.url)

    assert page.evaluate("document.documentElement.lang") == "en"
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached == ["Skip to content", "⚓ Harbour", "Log in with Zoho"]
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.us.url}/**")


def test_has_landmarks_and_one_heading(site: Site, profile: Profile) -> None:
    page = profile()
    log_in(page, site, ADA)

    for landmark in ("banner", "main", "contentinfo"):
        assert page.get_by_role(landmark).count() == 1
    assert page.locator("h1").count() == 1
    assert page.get_by_role("table", name="Contacts").count() == 1
    assert page.get_by_role("columnheader").all_text_contents() == ["Name", "E-mail", "Phone"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_can_be_read(scheme: str) -> None:
    """Every text has a contrast of 4.5 to 1, which WCAG 2.2 asks for."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", light if scheme == "light" else dark))
    pairs = [(text, under) for text in ("text", "soft", "accent") for under in ("page", "card")]

    for text, under in [*pairs, ("on-accent", "accent")]:
        assert contrast(colours[text], colours[under]) >= 4.5, (text, under)


def contrast(first: str, second: str) -> float:
    """The contrast of two colours, as WCAG 2.2 defines it."""
    dark, light = sorted(map(luminance, (first, second)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
