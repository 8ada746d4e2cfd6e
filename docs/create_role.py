"""Create, or bring up to date, the MongoDB roles that the token store needs, and no more.

    python create_role.py 'mongodb://admin@localhost:27017' --database zohooauth

Asks for the password if the URI names a user without one. The roles are made in the database of the
tokens; a user with ``userAdmin`` there may make them. Needs pymongo alone.

zohoTokenStore        for the application: reads and writes tokens, leases and data keys.
zohoTokenStoreDeploy  for a deploy step: makes, changes and drops their indexes, and reads no token.
"""

import argparse
import getpass
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.uri_parser import parse_uri

APPLICATION = "zohoTokenStore"
DEPLOY = "zohoTokenStoreDeploy"
ACTIONS = {
    APPLICATION: ["find", "insert", "update", "remove"],
    DEPLOY: ["createIndex", "collMod", "listIndexes", "dropIndex"],
}
KEY_VAULT = "__keyVault"


def privileges(database: str, collection: str, actions: list[str]) -> list[dict[str, Any]]:
    """The actions on each collection of the store: the tokens, the leases and the data keys."""
    collections = [collection, f"{collection}.leases", KEY_VAULT]
    return [
        {"resource": {"db": database, "collection": name}, "actions": actions}
        for name in collections
    ]


def create_roles(database: Database[dict[str, Any]], collection: str) -> None:
    """Create both roles in the database; one that exists gets these privileges and no others."""
    for role, actions in ACTIONS.items():
        exists = database.command("rolesInfo", role)["roles"]
        database.command(
            "updateRole" if exists else "createRole",
            role,
            privileges=privileges(database.name, collection, actions),
            roles=[],
        )


def main() -> None:
    """Read the command line and create the roles."""
    parser = argparse.ArgumentParser(description="Create the MongoDB roles of the token store.")
    parser.add_argument("uri", help="the connection string of a user who may create roles")
    parser.add_argument("--database", default="zohooauth", help="default: %(default)s")
    parser.add_argument("--collection", default="oauthtoken", help="default: %(default)s")
    arguments = parser.parse_args()
    named = parse_uri(arguments.uri)
    options: dict[str, Any] = {}
    if named["username"] and not named["password"]:
        options["password"] = getpass.getpass(f"Password of {named['username']}: ")
    with MongoClient[dict[str, Any]](arguments.uri, **options) as client:
        create_roles(client[arguments.database], arguments.collection)
    for role in ACTIONS:
        print(f"{arguments.database}.{role}")


if __name__ == "__main__":
    main()
