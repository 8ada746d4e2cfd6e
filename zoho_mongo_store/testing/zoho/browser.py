"""Does what a user does on the authorize page, without a browser."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from http.client import HTTPConnection
from typing import Literal
from urllib.parse import urlencode, urlsplit

TIMEOUT = 30.0


class _Form(HTMLParser):
    """The fields of the page's form, and the users that it offers."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.users: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an input."""
        attributes = dict(attrs)
        name, value = attributes.get("name") or "", attributes.get("value") or ""
        if tag == "input" and attributes.get("type") == "radio":
            self.users.append(value)
        if tag == "input" and (attributes.get("type") != "radio" or "checked" in attributes):
            self.fields[name] = value


def press(button: Literal["accept", "reject"], authorize_url: str, user: str | None = None) -> str:
    """Open the authorize page, choose a user and press a button.

    Returns:
        The URL to which the browser is redirected.

    Raises:
        ValueError: The page shows an error, or does not offer the user.
    """
    page, _ = _send("GET", authorize_url)
    form = _Form()
    form.feed(page)
    if not form.users:
        error = re.search(r"Error: <code>(.*?)</code>", page)
        raise ValueError(f"authorize: {unescape(error[1]) if error else 'no authorize page'}")
    if user is not None and user not in form.users:
        raise ValueError(f"authorize: {user} is unknown; add it with add_user()")
    chosen = {} if user is None else {"user": user}
    fields = {**form.fields, **chosen, "decision": button}
    _, callback = _send("POST", authorize_url.partition("?")[0], urlencode(fields))
    if callback is None:
        raise ValueError("authorize: the page does not redirect the browser")
    return callback


def _send(method: str, url: str, form: str | None = None) -> tuple[str, str | None]:
    """Send a request. Returns the page, and the URL of a redirect, if any."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=TIMEOUT)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        target = parts._replace(scheme="", netloc="", fragment="").geturl()
        connection.request(method, target, form, headers)
        response = connection.getresponse()
        return response.read().decode(), response.getheader("Location")
    finally:
        connection.close()
