"""``zoho-mongo-store revoke``."""

from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.connecting import connected
from zoho_mongo_store.commands.reporting import CommandError

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext

_REVOKE_PATH = "/oauth/v2/token/revoke"
_SECONDS = 15.0


@connected
def revoke(
    context: "CommandContext",
    id: Annotated[str, typer.Argument(metavar="ID", help="The token's id, as list shows it.")],
    accounts_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Zoho's accounts server, such as https://accounts.zoho.eu. "
            "Default: that of the token's data centre.",
        ),
    ] = None,
) -> None:
    """Revoke a refresh token at Zoho, and delete it here.

    Everything that was issued for it ends with it. If Zoho does not say that it is revoked, it
    stays stored.
    """
    from urllib.parse import urlsplit

    from zoho_mongo_store.sdk import DataCenter

    with context.open() as tokens:
        stored = tokens.find([{"id": id}])
        if stored is None:
            raise CommandError(f"no token has the id {id}")
        refresh_token = stored.get("refresh_token")
        if refresh_token is not None and not isinstance(refresh_token, str):
            raise CommandError(f"the token {id} is encrypted: give --kms-providers")
        if refresh_token is None:
            raise CommandError(f"the token {id} has no refresh token to revoke; delete removes it")
        environment = DataCenter.get(str(stored.get("api_domain", "-")))
        known = "" if environment is None else environment.accounts_url
        server = urlsplit(accounts_url or known)
        if server.scheme not in ("https", "http") or not server.netloc:
            raise CommandError(
                f"the data centre of the token {id} is not known: "
                "give --accounts-url, such as https://accounts.zoho.eu"
            )
        _revoke(f"{server.scheme}://{server.netloc}{_REVOKE_PATH}", refresh_token)
        tokens.delete(id)
    typer.echo(f"revoked at {server.netloc} and deleted: {id}")


def _revoke(url: str, refresh_token: str) -> None:
    """Ask Zoho. The refresh token goes in the body: addresses are logged."""
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
