"""``zoho-mongo-store delete``."""

from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.confirmation import confirm
from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.failures import CommandError
from zoho_mongo_store.commands.options import JsonOption, UserOption, YesOption, as_text
from zoho_mongo_store.commands.output import print_json, print_text
from zoho_mongo_store.commands.selection import Selection

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


@connected
def delete(
    context: "CommandContext",
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Ids of tokens, as shown by list.", callback=as_text),
    ] = None,
    user: UserOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Delete stored tokens, after asking for confirmation.

    The tokens stay valid at Zoho. To end them there too, use revoke.
    """
    if ids and user is None:
        wanted = [Selection("id", id) for id in dict.fromkeys(ids)]
    elif user is not None and not ids:
        wanted = [Selection("user_name", user)]
    else:
        raise typer.BadParameter("give either ids or --user")
    stored = [one for one in wanted if _is_stored(context, one)]
    if stored and not yes:
        confirm(f"Delete {', '.join(map(str, stored))}?")
    deleted = [one for one in stored if _delete(context, one)]
    unknown = [one for one in wanted if one not in deleted]
    if json:
        print_json({"deleted": _as_json(deleted), "not_stored": _as_json(unknown)})
    else:
        for one in deleted:
            print_text(f"deleted {one}")
    if unknown:
        raise CommandError(f"not stored: {', '.join(map(str, unknown))}")


def _is_stored(context: "CommandContext", selected: Selection) -> bool:
    import pymongo

    from zoho_mongo_store.commands.context import TIMEOUT

    with pymongo.timeout(TIMEOUT):
        return context.collection.find_one(selected.filter, {"_id": 1}) is not None


def _delete(context: "CommandContext", selected: Selection) -> bool:
    """Delete a token, even if its secrets cannot be read. Returns ``False`` if it was gone."""
    import pymongo

    from zoho_mongo_store.commands.context import TIMEOUT

    with pymongo.timeout(TIMEOUT):
        return context.collection.delete_one(selected.filter).deleted_count == 1


def _as_json(selected: list[Selection]) -> list[dict[str, str]]:
    return [one.as_json() for one in selected]
