"""``zoho-mongo-store revoke``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.failures import CommandError
from zoho_mongo_store.commands.options import IdArgument
from zoho_mongo_store.commands.output import printable

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext

_REVOKE_PATH = "/oauth/v2/token/revoke"
_SECONDS = 15.0


@connected
def revoke(
    context: "CommandContext",
    id: IdArgument,
    accounts_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Zoho's accounts server, such as https://accounts.zoho.eu. "
            "Default: the one of the token's data centre.",
        ),
    ] = None,
) -> None:
    """Revoke a refresh token at Zoho, then delete the stored token.

    Zoho also ends every access token that was issued for it. Unless Zoho confirms, the token stays
    stored.
    """
    tokens = context.repository()
    stored = tokens.find([{"id": id}])
    if stored is None:
        raise CommandError(f"no token has the id {id}")
    refresh_token = stored.get("refresh_token")
    if refresh_token is not None and not isinstance(refresh_token, str):
        raise CommandError(f"the token {id} is encrypted: give --kms-providers")
    if refresh_token is None:
        raise CommandError(f"the token {id} has no refresh token to revoke; delete removes it")
    server = urlsplit(accounts_url or _known_accounts_url(stored))
    if server.scheme not in ("https", "http") or not server.netloc:
        raise CommandError(
            f"the data centre of the token {id} is not known: "
            "give --accounts-url, such as https://accounts.zoho.eu"
        )
    _revoke(f"{server.scheme}://{server.netloc}{_REVOKE_PATH}", refresh_token)
    tokens.delete(id)
    typer.echo(printable(f"revoked at {server.netloc} and deleted: {id}"))


def _known_accounts_url(document: Mapping[str, Any]) -> str:
    """Look up the accounts server of a token's data centre; empty if it is unknown."""
    from zoho_mongo_store.sdk import DataCenter

    environment = DataCenter.get(str(document.get("api_domain", "-")))
    return "" if environment is None else environment.accounts_url


def _revoke(url: str, refresh_token: str) -> None:
    """Send the request to Zoho. The refresh token goes in the body, because URLs are logged."""
    import requests

    try:
        answer = requests.post(
            url, data={"token": refresh_token}, timeout=_SECONDS, allow_redirects=False
        )
    except requests.RequestException as error:
        raise CommandError(
            f"Zoho cannot be reached at {url} ({type(error).__name__}); the token stays stored"
        ) from None
    try:
        revoked = answer.json().get("status") == "success"
    except (ValueError, AttributeError):
        revoked = False
    if not revoked:
        raise CommandError(
            f"Zoho did not revoke it (status {answer.status_code} from {url}); the token stays "
            "stored. If it is revoked already, delete removes it"
        )
