"""``zoho-mongo-store expire``."""

from typing import TYPE_CHECKING

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.failures import CommandError
from zoho_mongo_store.commands.options import IdArgument, JsonOption, UserOption
from zoho_mongo_store.commands.output import print_json, print_text
from zoho_mongo_store.commands.selection import Selection

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


@connected
def expire(
    context: "CommandContext",
    id: IdArgument = None,
    user: UserOption = None,
    json: JsonOption = False,
) -> None:
    """Mark a stored access token as expired, so that its next use refreshes it.

    Use it when the CRM API refuses an access token that should still be valid. If the user was
    required to log in again, that is cleared, so Zoho is asked once more. The command itself does
    not ask Zoho; to do so, use refresh.
    """
    from zoho_mongo_store.commands.context import TIMEOUT
    from zoho_mongo_store.driver.server_clock import server_clock

    selected = Selection.of(id, user)
    tokens = context.repository()
    stored = selected.require(tokens)
    now = server_clock(context.collection.database, TIMEOUT)()
    if not tokens.expire_access_token(stored["id"], None, now):
        raise CommandError(f"the token with the {selected} has no access token")
    if json:
        print_json({"id": stored["id"], "user": stored.get("user_name"), "expires_at": now})
    else:
        print_text(f"expired: {selected}; the next use refreshes it")
