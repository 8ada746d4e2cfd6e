"""Replica sets of three whose members fail, and are whole again afterwards."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from pymongo.errors import PyMongoError

from tests.faults.proxy import Proxy
from tests.sent_commands import Client
from tests.waiting import eventually
from zoho_mongo_store.testing import LocalMongo
from zoho_mongo_store.testing.member import Member

# Short, for tests that claim nothing about MongoDB's own election time-out of ten seconds.
# A new primary waits for the heartbeat of a silent member before it takes writes: in that time
# the old one could win its place back, over and over.
QUICK_ELECTIONS = {
    "electionTimeoutMillis": 1500,
    "heartbeatIntervalMillis": 500,
    "heartbeatTimeoutSecs": 2,
    "catchUpTimeoutMillis": 1000,
}


def is_whole(mongo: LocalMongo) -> bool:
    """Whether there is a primary, and two secondaries that follow it."""
    return len(mongo.secondaries) == 2 and any(member.is_primary for member in mongo.members)


def hold_elections(mongo: LocalMongo) -> None:
    """Have no secondary stand for election, so that there is no primary for as long as it takes."""
    primary = mongo.wait_for_primary()
    for member in mongo.members:
        if member.running and member.name != primary.name:
            with member.connect() as client:
                client.admin.command("replSetFreeze", 120)


def lose_primary(mongo: LocalMongo, how: str) -> None:
    """Have the primary ``killed`` or ``stopped``, and none elected."""
    hold_elections(mongo)
    primary = mongo.wait_for_primary()
    primary.kill() if how == "killed" else primary.stop()


def allow_elections(mongo: LocalMongo) -> None:
    """Let members stand for election again; whatever state they are in, none is left out."""
    for member in mongo.members:
        # One that is down or hangs was not held; one that has just been elected refuses.
        with suppress(PyMongoError), member.connect(timeout_ms=2000) as client:
            client.admin.command("replSetFreeze", 0)


def make_whole(mongo: LocalMongo) -> None:
    """Start what was killed, let go on what was stopped, and wait until all serve."""
    mongo.cont()
    if not mongo.running:
        mongo.start()

    def allowed_and_whole() -> bool:
        allow_elections(mongo)
        return is_whole(mongo)

    assert eventually(allowed_and_whole, 60)


@contextmanager
def behind_proxies(mongo: LocalMongo) -> Iterator[tuple[str, dict[str, Proxy]]]:
    """Have the members and their clients reach each other through a proxy for each member.

    Yields:
        The connection string, and the proxies by the addresses of the members behind them.
    """
    with ExitStack() as stack:
        proxies = {
            member.address: stack.enter_context(Proxy(member.port)) for member in mongo.members
        }
        _name_hosts(mongo, {real: f"127.0.0.1:{one.port}" for real, one in proxies.items()})
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in proxies.values())
        try:
            yield f"mongodb://{hosts}/?replicaSet=rs0", proxies
        finally:
            for one in proxies.values():
                one.deaf.clear()
                one.mute.clear()
            make_whole(mongo)
            _name_hosts(mongo, {f"127.0.0.1:{one.port}": real for real, one in proxies.items()})


def _name_hosts(mongo: LocalMongo, names: dict[str, str]) -> None:
    """Change the addresses in the set's configuration, one member at a time."""
    with Client(mongo.wait_for_primary().uri) as client:
        for index in range(len(names)):
            config = client.admin.command("replSetGetConfig")["config"]
            member = config["members"][index]
            member["host"] = names[member["host"]]
            config["version"] += 1
            client.admin.command("replSetReconfig", config)
    assert eventually(lambda: is_whole(mongo), 60)


def wait_for_another_primary(mongo: LocalMongo, old: Member, seconds: float = 60) -> Member:
    """The member that is primary in the place of ``old``, as soon as one is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for member in mongo.members:
            if member.name != old.name and member.is_primary:
                return member
        time.sleep(0.05)
    raise AssertionError("no other member became primary")
