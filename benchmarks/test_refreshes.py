"""Many expired tokens at once: how many refreshes one MongoDB carries."""

import random
import time
from typing import NamedTuple

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import PeerMaker
from benchmarks.peers import OURS
from benchmarks.peers.peer import Peer
from benchmarks.servers.mongodb import Server
from tests.processes import in_processes
from tests.refresh.callers import CLIENT, ask, driving
from tests.sent_commands import listening
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LoopbackZoho

PROCESSES = 8
USERS = (200, 2000)


class Work(NamedTuple):
    """What one process did with all tokens.

    Attributes:
        access_tokens: What it got, in the order of the users.
        commands: How many commands it sent.
        refreshed: How many tokens it refreshed itself.
        cpu: Seconds of its CPU.
    """

    access_tokens: list[str | None]
    commands: int
    refreshed: int
    cpu: float


def use_all(peer: Peer, zoho: LoopbackZoho, users: int, seed: int) -> Work:
    """Ask the SDK for an access token of every user, in an order of the process's own."""
    order = random.Random(seed).sample(range(users), users)
    found: list[str | None] = [None] * users
    with (
        listening(peer.sites.mongodb) as (client, commands),
        MongoTokenStore(client=client, database=peer.storage, timeout=60) as store,
        driving(store, zoho),
    ):
        store.ping()
        commands.clear()
        before = time.process_time()
        for number in order:
            found[number] = ask(make_token(id=str(number))).access_token
        cpu = time.process_time() - before
        return Work(found, len(commands.names), store.refresh_stats().refreshed, cpu)


def expire(peer: Peer, zoho: LoopbackZoho, users: int) -> None:
    """Store tokens as logins left them more than an hour ago."""
    with MongoTokenStore(peer.sites.mongodb, database=peer.storage, timeout=60) as store:
        store.delete_tokens()
        for number in range(users):
            token = make_token(
                id=str(number),
                user_name=f"user{number}@example.com:1",
                refresh_token=zoho.refresh_token(),
                access_token=f"expired {number}",
                expires_in="1000",
                api_domain=zoho.url,
                **CLIENT,
            )
            store.save_token(token)


@pytest.mark.parametrize("users", USERS)
def test_refreshes(
    benchmark: BenchmarkFixture,
    make_peer: PeerMaker,
    zoho: LoopbackZoho,
    mongodb_server: Server,
    users: int,
) -> None:
    benchmark.group = f"{users} expired tokens met by {PROCESSES} processes"
    peer = make_peer(OURS, f"refreshes_{users}")
    zoho.configure(delay=0)
    expire(peer, zoho, users)
    zoho.clear()
    before = mongodb_server.cpu()

    arguments = [(peer, zoho, users, seed) for seed in range(PROCESSES)]
    work: list[Work] = benchmark.pedantic(in_processes, (use_all, arguments, 500), rounds=1)

    assert all(one.access_tokens == work[0].access_tokens for one in work)
    assert None not in work[0].access_tokens
    assert zoho.count("refresh") == sum(one.refreshed for one in work) == users
    benchmark.extra_info.update(
        calls=users * PROCESSES,
        commands=sum(one.commands for one in work),
        cpu=sum(one.cpu for one in work),
        server_cpu=mongodb_server.cpu() - before,
    )
