"""Which addresses a grant token may be sent to."""

import pytest

from zoho_mongo_store import ZohoLogin


def login_with(redirect_url: str) -> ZohoLogin:
    return ZohoLogin("1000.CLIENT", "client-s3cret", redirect_url)


@pytest.mark.parametrize(
    "redirect_url",
    [
        "https://portal.example/callback",
        "https://portal.example:8443/callback?from=zoho",
        "HTTPS://portal.example/callback",
        "http://localhost:8000/callback",
        "http://127.0.0.1/callback",
        "http://127.8.8.8:8000/callback",
        "http://[::1]:8000/callback",
    ],
)
def test_takes_https_and_this_machine(redirect_url: str) -> None:
    assert redirect_url in repr(login_with(redirect_url))


@pytest.mark.parametrize(
    "redirect_url",
    [
        "http://portal.example/callback",
        "http://10.0.0.7:8000/callback",
        "http://0.0.0.0:8000/callback",
        "http://localhost.portal.example/callback",
        "http://127.0.0.1.portal.example/callback",
        "http://portal.example/localhost",
    ],
)
def test_refuses_plain_http_elsewhere(redirect_url: str) -> None:
    with pytest.raises(ValueError, match="must begin with https://"):
        login_with(redirect_url)


@pytest.mark.parametrize(
    "redirect_url",
    [
        "",
        "/callback",
        "portal.example/callback",
        "https:///callback",
        "http://:8000/callback",
        "http://localhost:80@portal.example/callback",
        "https://user:password@portal.example/callback",
        "https://portal.example/callback#top",
        "javascript://portal.example/",
    ],
)
def test_refuses_what_is_no_whole_address(redirect_url: str) -> None:
    with pytest.raises(ValueError, match="the complete URL"):
        login_with(redirect_url)
