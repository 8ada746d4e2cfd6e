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
        wanted = privileges(database.name, collection, actions)
        found = database.command("rolesInfo", role, showPrivileges=True)["roles"]
        if found:
            update_role(database, found[0], wanted)
        else:
            database.command("createRole", role, privileges=wanted, roles=[])


def update_role(
    database: Database[dict[str, Any]], found: dict[str, Any], wanted: list[dict[str, Any]]
) -> None:
    """Give the role ``found`` the privileges ``wanted`` and no others.

    The command updateRole would do it at once, but needs ``revokeRole`` on all databases. What is
    wanted is granted first, so that an application never goes without.
    """
    role = found["role"]
    database.command("grantPrivilegesToRole", role, privileges=wanted)
    surplus = []
    for privilege in found["privileges"]:
        kept = [one["actions"] for one in wanted if one["resource"] == privilege["resource"]]
        actions = set(privilege["actions"]).difference(*kept)
        if actions:
            surplus.append({"resource": privilege["resource"], "actions": sorted(actions)})
    if surplus:
        database.command("revokePrivilegesFromRole", role, privileges=surplus)
    if found["roles"]:
        database.command("revokeRolesFromRole", role, roles=found["roles"])


def main() -> None:
    """Read the command line and create the roles."""
    parser = argparse.ArgumentParser(description="Create the MongoDB roles of the token store.")
    parser.add_argument(
        "uri", type=str.strip, help="the connection string of a user who may create roles"
    )
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
