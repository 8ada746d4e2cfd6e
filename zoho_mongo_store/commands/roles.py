"""The MongoDB roles that the store needs, and no more."""

from typing import Any

from pymongo.database import Database

APPLICATION = "zohoTokenStore"
DEPLOY = "zohoTokenStoreDeploy"
ACTIONS = {
    APPLICATION: ["find", "insert", "update", "remove"],
    DEPLOY: ["createIndex", "collMod", "listIndexes", "dropIndex"],
}
"""What each role may do. The application's reads and writes tokens, leases and data keys; that of
the deploy step creates, changes and drops their indexes, and reads no token."""

Privileges = list[dict[str, Any]]


def create_roles(database: Database[dict[str, Any]], collections: list[str]) -> dict[str, str]:
    """Create both roles in a database. An existing one gets exactly these privileges.

    Args:
        database: The database of the tokens. It takes a user with ``userAdmin`` there.
        collections: The collections on which the roles have privileges.

    Returns:
        What was done to each role, by its name.
    """
    results = {}
    for role, actions in ACTIONS.items():
        wanted = [
            {"resource": {"db": database.name, "collection": name}, "actions": actions}
            for name in collections
        ]
        found = database.command("rolesInfo", role, showPrivileges=True)["roles"]
        if found:
            is_changed = _update(database, found[0], wanted)
            results[role] = "changed" if is_changed else "unchanged"
        else:
            database.command("createRole", role, privileges=wanted, roles=[])
            results[role] = "created"
    return results


def _update(database: Database[dict[str, Any]], found: dict[str, Any], wanted: Privileges) -> bool:
    """Give the role ``found`` exactly the privileges ``wanted``. Returns whether it had others.

    The command updateRole would do this in one step, but needs ``revokeRole`` on all databases. The
    wanted privileges are granted first, so that an application never lacks them.
    """
    role = found["role"]
    lacking = _without(wanted, found["privileges"])
    surplus = _without(found["privileges"], wanted)
    if lacking:
        database.command("grantPrivilegesToRole", role, privileges=lacking)
    if surplus:
        database.command("revokePrivilegesFromRole", role, privileges=surplus)
    if found["roles"]:
        database.command("revokeRolesFromRole", role, roles=found["roles"])
    return bool(lacking or surplus or found["roles"])


def _without(privileges: Privileges, others: Privileges) -> Privileges:
    """Remove from privileges what others allow."""
    rest = []
    for one in privileges:
        allowed = [other["actions"] for other in others if other["resource"] == one["resource"]]
        actions = set(one["actions"]).difference(*allowed)
        if actions:
            rest.append({"resource": one["resource"], "actions": sorted(actions)})
    return rest
