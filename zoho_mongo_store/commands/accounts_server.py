"""Zoho's accounts server, where refresh tokens are redeemed and revoked."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

AccountsUrlOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Zoho's accounts server, such as https://accounts.zoho.eu. "
        "Default: the one of the token's data centre.",
    ),
]


def parsed_accounts_url(text: str) -> str:
    """Read a URL that was given on the command line; its path is left out.

    Raises:
        typer.BadParameter: It is none: a usage error.
    """
    try:
        url = urlsplit(text)
        is_url = url.scheme in ("https", "http") and bool(url.hostname) and url.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise typer.BadParameter(
            f"--accounts-url has to be a URL such as https://accounts.zoho.eu, not {text!r}"
        )
    return f"{url.scheme}://{url.netloc}"


def known_accounts_url(document: Mapping[str, Any]) -> str | None:
    """Look up the accounts server of a token's data centre; ``None`` if it is unknown."""
    from zoho_mongo_store.sdk import DataCenter

    environment = DataCenter.get(str(document.get("api_domain", "-")))
    if environment is None:
        return None
    url = urlsplit(environment.accounts_url)
    return f"{url.scheme}://{url.netloc}"
