"""Zoho's accounts server, where refresh tokens are redeemed and revoked."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from zoho_mongo_store.commands.failures import CommandError
from zoho_mongo_store.commands.selection import Selection

TOKEN_PATH = "/oauth/v2/token"  # noqa: S105 - a path

AccountsUrlOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Zoho's accounts server, such as https://accounts.zoho.eu. "
        "Default: that of the token's data centre.",
    ),
]


def parsed_accounts_url(text: str) -> str:
    """Read the URL of a server from the command line, ignoring its path.

    Returns:
        The URL at which the server redeems tokens.

    Raises:
        typer.BadParameter: It is not a URL: a usage error.
    """
    try:
        url = urlsplit(text)
        is_url = url.scheme in ("https", "http") and bool(url.hostname) and url.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise typer.BadParameter(
            f"--accounts-url must be a URL such as https://accounts.zoho.eu, not {text!r}"
        )
    return f"{url.scheme}://{url.netloc}{TOKEN_PATH}"


def known_accounts_url(document: Mapping[str, Any], selected: Selection) -> str:
    """Look up the URL at which a token's data centre redeems it, as the SDK does.

    Raises:
        CommandError: The data centre is unknown.
    """
    from zoho_mongo_store.sdk import DataCenter

    environment = DataCenter.get(str(document.get("api_domain", "-")))
    if environment is None:
        raise CommandError(
            f"the data centre of the token with the {selected} is unknown: "
            "give --accounts-url, such as https://accounts.zoho.eu"
        )
    url: str = environment.accounts_url
    return url


def refresh_token_of(document: Mapping[str, Any], selected: Selection) -> str | None:
    """Read the refresh token of a document; ``None`` if it has none.

    Raises:
        CommandError: It is encrypted, and the command has no keys.
    """
    refresh_token = document.get("refresh_token")
    if refresh_token is None or isinstance(refresh_token, str):
        return refresh_token
    raise CommandError(f"the token with the {selected} is encrypted: give --kms-providers")
