"""Checks of ``doctor`` on the server and the connection to it."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pymongo
from pymongo import ReadPreference
from pymongo.collection import Collection

from zoho_mongo_store.commands.context import TIMEOUT
from zoho_mongo_store.commands.doctor.findings import Finding
from zoho_mongo_store.commands.output import format_count
from zoho_mongo_store.commands.versions import installed_versions
from zoho_mongo_store.errors import keeping_words
from zoho_mongo_store.model.document import Document, now
from zoho_mongo_store.refresh.leases import Leases
from zoho_mongo_store.refresh.policy import DEFAULT_POLICY
from zoho_mongo_store.version import __version__

# The SDK refreshes an access token 5 s before it expires (oauth_token.py, get_token). A host whose
# clock is behind by almost as much would use expired tokens.
_CLOCK_TOLERANCE = timedelta(seconds=3)
_OLDEST = (4, 4)


def reached(collection: Collection[Document]) -> Finding:
    """Check that the server answers.

    Args:
        collection: The collection of the tokens.

    Returns:
        The finding that it does.

    Raises:
        PyMongoError: It does not.
    """
    _command(collection, "ping")
    nodes = sorted(f"{host}:{port}" for host, port in collection.database.client.nodes)
    return Finding("server", "passed", f"{', '.join(nodes)} answers")


def versions(collection: Collection[Document]) -> Iterator[Finding]:
    """Report the versions of everything in use, and check that MongoDB's is supported."""
    text = str(_command(collection, "buildInfo")["version"])
    installed = (f"{name} {version}" for name, version in installed_versions().items())
    detail = ", ".join((f"MongoDB {text}", f"zoho-mongo-store {__version__}", *installed))
    if tuple(int(part) for part in text.split(".")[:2]) >= _OLDEST:
        yield Finding("versions", "passed", detail)
    else:
        yield Finding("versions", "failed", detail, "upgrade to MongoDB 4.4 or later")


def topology(collection: Collection[Document]) -> Iterator[Finding]:
    """Check for a replica set, or a sharded cluster in which the collection is unsharded."""
    hello = _command(collection, "hello")
    if "setName" in hello:
        members = format_count(len(hello.get("hosts", [])), "member")
        detail = f"replica set {hello['setName']}, {members}"
        yield Finding("topology", "passed", detail)
    elif hello.get("msg") == "isdbgrid":
        with pymongo.timeout(TIMEOUT):
            config = collection.database.client.get_database(
                "config", read_preference=collection.read_preference
            )
            entry = config["collections"].find_one(
                {"_id": collection.full_name, "dropped": {"$ne": True}}
            )
        if entry and "key" in entry:
            yield Finding(
                "topology",
                "failed",
                "sharded cluster, and the collection is sharded",
                "move the tokens to an unsharded collection: two unique indexes cannot both hold "
                "across shards",
            )
        else:
            yield Finding("topology", "passed", "sharded cluster, the collection unsharded")
    else:
        yield Finding(
            "topology",
            "warned",
            "a single server",
            "use a replica set in production: if a single server is lost, so are the logins",
        )


def write_concern(collection: Collection[Document]) -> Iterator[Finding]:
    """Check that an acknowledged save survives a failover."""
    concern = collection.write_concern.document
    if concern.get("w") == "majority":
        yield Finding("write concern", "passed", "majority")
    else:
        yield Finding(
            "write concern",
            "warned",
            f"w={concern.get('w', 1)}",
            "remove w from the URI: a save can be lost in a failover",
        )


def read_preference(collection: Collection[Document]) -> Iterator[Finding]:
    """Check that finds are read from the primary, unless the URI says otherwise."""
    # The one in the URI: commands themselves read from the primary.
    chosen = collection.database.client.read_preference
    if chosen == ReadPreference.PRIMARY:
        yield Finding("read preference", "passed", "primary")
        return
    # primary has no tags; with the others, an empty set of tags means any member.
    tags = [one for one in getattr(chosen, "tag_sets", []) if one]
    of = f" of the members tagged {_describe_tags(tags)}" if tags else ""
    yield Finding(
        "read preference",
        "warned",
        f"{chosen.mongos_mode}{of}: a find may see an older token than the last one saved",
        "remove readPreference from the URI, unless the primary is too far away",
    )


def tls(collection: Collection[Document]) -> Iterator[Finding]:
    """Check that the connection is encrypted, unless it stays on this machine."""
    client = collection.database.client
    # MongoClient says nowhere else whether it uses TLS.
    if client.options.pool_options._ssl_context is not None:
        yield Finding("TLS", "passed", "on")
    elif all(_is_loopback(host) for host, _ in client.nodes):
        yield Finding("TLS", "passed", "off, but only within this machine")
    else:
        yield Finding("TLS", "failed", "off: tokens are not encrypted", "add tls=true to the URI")


def clock(collection: Collection[Document]) -> Iterator[Finding]:
    """Check that the clock of this host agrees with the server's."""
    leases = Leases(lambda: collection, TIMEOUT, DEFAULT_POLICY)
    difference = now() - leases.clock()()
    # Adding 0 makes 0.0 of -0.0.
    seconds = f"{round(difference.total_seconds(), 1) + 0:+} s from the server's"
    if abs(difference) <= _CLOCK_TOLERANCE:
        yield Finding("clock", "passed", seconds)
    else:
        yield Finding(
            "clock",
            "warned",
            seconds,
            "synchronize the clocks with NTP: tokens are refreshed too late or too often",
        )


def _command(collection: Collection[Document], name: str) -> dict[str, Any]:
    with keeping_words(), pymongo.timeout(TIMEOUT):
        answer: dict[str, Any] = collection.database.client.admin.command(name)
    return answer


def _describe_tags(tag_sets: Sequence[Mapping[str, str]]) -> str:
    return ", else ".join(
        " and ".join(f"{name}:{value}" for name, value in tags.items()) for tags in tag_sets
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
