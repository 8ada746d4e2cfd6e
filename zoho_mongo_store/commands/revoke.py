"""``zoho-mongo-store revoke``."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from zoho_mongo_store.commands.accounts_server import (
    AccountsUrlOption,
    known_accounts_url,
    parsed_accounts_url,
    refresh_token_of,
)
from zoho_mongo_store.commands.confirmation import confirm
from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.failures import CommandError
from zoho_mongo_store.commands.options import IdArgument, JsonOption, UserOption, YesOption
from zoho_mongo_store.commands.output import print_json, print_text
from zoho_mongo_store.commands.selection import Selection

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext

_REVOKE_PATH = "/oauth/v2/token/revoke"
_SECONDS = 15.0


@connected
def revoke(
    context: "CommandContext",
    id: IdArgument = None,
    user: UserOption = None,
    accounts_url: AccountsUrlOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Revoke a refresh token at Zoho, then delete the stored token, after asking for confirmation.

    Zoho also ends every access token that was issued for it. The stored token is deleted only if
    Zoho confirms the revocation.
    """
    selected = Selection.of(id, user)
    given = None if accounts_url is None else parsed_accounts_url(accounts_url)
    tokens = context.repository()
    stored = selected.require(tokens)
    refresh_token = refresh_token_of(stored, selected)
    if refresh_token is None:
        raise CommandError(
            f"the token with the {selected} has no refresh token to revoke: use delete instead"
        )
    server = urlsplit(given or known_accounts_url(stored, selected))
    host = server.netloc
    if not yes:
        confirm(f"Revoke the refresh token of {selected} at {host}, and delete it here?")
    _revoke(f"{server.scheme}://{host}{_REVOKE_PATH}", refresh_token)
    tokens.delete(stored["id"])
    if json:
        print_json({"id": stored["id"], "user": stored.get("user_name"), "revoked_at": host})
    else:
        print_text(f"revoked at {host} and deleted: {selected}")


def _revoke(url: str, refresh_token: str) -> None:
    """Send the request to Zoho, with the refresh token in the body, because URLs are logged."""
    import requests

    from zoho_mongo_store.refresh.exchange import reason_of

    try:
        answer = requests.post(
            url, data={"token": refresh_token}, timeout=_SECONDS, allow_redirects=False
        )
    except requests.Timeout:
        raise CommandError(
            f"Zoho did not answer within {_SECONDS:g} s at {url}; the token stays stored"
        ) from None
    except requests.RequestException as error:
        raise CommandError(
            f"Zoho cannot be reached at {url}: {reason_of(error)}; the token stays stored"
        ) from None
    try:
        revoked = answer.json().get("status") == "success"
    except (ValueError, AttributeError):
        revoked = False
    if not revoked:
        raise CommandError(
            f"Zoho did not revoke it (status {answer.status_code} from {url}); the token stays "
            "stored. If it has already been revoked, use delete"
        )
