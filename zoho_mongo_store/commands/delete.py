"""``zoho-mongo-store delete``."""

from typing import TYPE_CHECKING, Annotated

import typer

from zoho_mongo_store.commands.connected import connected
from zoho_mongo_store.commands.failures import CommandError
from zoho_mongo_store.commands.options import as_text
from zoho_mongo_store.commands.output import printable

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


@connected
def delete(
    context: "CommandContext",
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID...", help="Ids, as list shows them.", callback=as_text),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Delete the token of this user.", callback=as_text),
    ] = None,
) -> None:
    """Delete stored tokens. They stay valid at Zoho: to end them there too, use revoke."""
    import pymongo

    from zoho_mongo_store.commands.context import TIMEOUT

    if bool(ids) == (user is not None):
        raise typer.BadParameter("give either ids or --user")
    filters = [{"user_name": user}] if user is not None else [{"id": id} for id in ids or []]
    unknown = []
    for filter in filters:
        with pymongo.timeout(TIMEOUT):
            if context.collection.delete_one(filter).deleted_count:
                typer.echo(printable(f"deleted {_describe(filter)}"))
            else:
                unknown.append(_describe(filter))
    if unknown:
        raise CommandError(f"not stored: {', '.join(unknown)}")


def _describe(filter: dict[str, str]) -> str:
    [(field, value)] = filter.items()
    return f"{'user' if field == 'user_name' else field} {value}"
