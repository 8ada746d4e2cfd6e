"""``zoho-mongo-store create-roles``."""

from typing import TYPE_CHECKING

import typer

from zoho_mongo_store.commands.connected import connected

if TYPE_CHECKING:
    from zoho_mongo_store.commands.context import CommandContext


@connected
def create_roles(context: "CommandContext") -> None:
    """Create the MongoDB roles for the application and the deploy step, but no users.

    Run it as a user with userAdmin on the database of the tokens, where the roles are created. Run
    it again to update them. zohoTokenStore can read and write tokens, leases and data keys.
    zohoTokenStoreDeploy can create their indexes, and read no token. Then create the users in
    mongosh, with the commands that it prints.
    """
    import pymongo

    from zoho_mongo_store.commands import roles
    from zoho_mongo_store.commands.context import TIMEOUT
    from zoho_mongo_store.errors import keeping_words
    from zoho_mongo_store.storage.lease_collection import LEASES_SUFFIX

    tokens = context.collection
    database = tokens.database
    names = [tokens.name, f"{tokens.name}{LEASES_SUFFIX}", context.key_vault_name]
    with keeping_words(), pymongo.timeout(TIMEOUT):
        results = roles.create_roles(database, names)
    for role, result in results.items():
        typer.echo(f"{database.name}.{role}: {result}")
    typer.echo("\nCreate the users in mongosh:\n")
    typer.echo(f"use {database.name}")
    for user, role in (("app", roles.APPLICATION), ("deploy", roles.DEPLOY)):
        typer.echo(f'db.createUser({{user: "{user}", pwd: passwordPrompt(), roles: ["{role}"]}})')
