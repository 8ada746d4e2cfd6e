"""Turns running members into a replica set with a primary."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.errors import OperationFailure

from zoho_mongo_store.testing.child import POLL_INTERVAL
from zoho_mongo_store.testing.member import Member
from zoho_mongo_store.testing.mongod_options import REPLICA_SET

ALREADY_INITIALIZED = 23


def configure(members: Sequence[Member], settings: Mapping[str, Any]) -> None:
    """Make the members form a replica set. If their data belongs to one, update its addresses.

    Args:
        members: The members, which must all be listening.
        settings: The ``settings`` document of the configuration.
    """
    config: dict[str, Any] = {
        "_id": REPLICA_SET,
        "version": 1,
        "members": [{"_id": i, "host": member.address} for i, member in enumerate(members)],
        "settings": dict(settings),
    }
    with members[0].connect() as client:
        try:
            client.admin.command("replSetInitiate", config)
        except OperationFailure as error:
            if error.code != ALREADY_INITIALIZED:
                raise
            config["version"] = _stored_version(client.local) + 1
            client.admin.command("replSetReconfig", config, force=True)


def elect(members: Sequence[Member], deadline: float) -> None:
    """Wait until there is a primary, and every other member is a secondary.

    The first member is asked to stand for election at once: by themselves, the members of a new set
    wait for the election timeout.

    Raises:
        RuntimeError: A member ended, or the deadline passed.
    """
    while len(members) > 1 and not any(member.is_primary for member in members):
        for member in members:
            if _step_up(member):
                break
        if time.monotonic() > deadline:
            break  # The errors of the members say more.
        time.sleep(POLL_INTERVAL)
    for member in members:
        member.wait_until_serving(deadline)


def primary_of(members: Sequence[Member]) -> Member | None:
    """Return the current primary, and not one that does not know yet that it was replaced."""
    answers = [(member, member.hello() or {}) for member in members]
    primaries = [(member, answer) for member, answer in answers if answer.get("isWritablePrimary")]
    if not primaries:
        return None
    return max(primaries, key=lambda each: str(each[1].get("electionId", "")))[0]


def _step_up(member: Member) -> bool:
    """Ask a member to stand for election. Returns whether it won."""
    try:
        with member.connect() as client:
            client.admin.command("replSetStepUp")
    except OperationFailure:
        return False
    return True


def _stored_version(local: Any) -> int:
    version: int = local["system.replset"].find_one()["version"]
    return version
