"""``zoho-mongo-store refresh``."""

from typing import TYPE_CHECKING

from zoho_mongo_store.commands.accounts_server import (
    AccountsUrlOption,
    known_accounts_url,
    parsed_accounts_url,
    refresh_token_of,
)
from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.failures import CommandError
from zoho_mongo_store.commands.options import IdArgument, JsonOption, UserOption
from zoho_mongo_store.commands.output import print_json, print_text
from zoho_mongo_store.commands.selection import Selection

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


@connected
def refresh(
    context: "CommandContext",
    id: IdArgument = None,
    user: UserOption = None,
    accounts_url: AccountsUrlOption = None,
    json: JsonOption = False,
) -> None:
    """Ask Zoho for a new access token now, as an application would, and report the result.

    The command follows the same rules as applications: if another process is asking Zoho, it waits
    for that answer. During a cool-down, or if the user has to log in again, it does not ask Zoho.
    It exits with status 1 unless there is a new access token.
    """
    from zoho_mongo_store.commands.refreshing import refresh_now

    selected = Selection.of(id, user)
    given = None if accounts_url is None else parsed_accounts_url(accounts_url)
    tokens = context.repository()
    stored = selected.require(tokens)
    if refresh_token_of(stored, selected) is None:
        raise CommandError(
            f"the token with the {selected} has no refresh token: the user has to log in again"
        )
    outcome = refresh_now(tokens, stored, given or known_accounts_url(stored, selected))
    if json:
        print_json({"id": stored["id"], "user": stored.get("user_name"), **outcome.as_json()})
    if not outcome.has_token:
        raise CommandError(f"{selected}: {outcome}")
    if not json:
        print_text(f"{selected}: {outcome}")
