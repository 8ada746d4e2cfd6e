"""Processes that meet one expired token at the same moment, with each peer."""

from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import PeerMaker
from benchmarks.peers import PEERS
from benchmarks.peers.peer import Peer
from tests.processes import in_processes
from tests.refresh.callers import CLIENT, Call, Fields, ask, driving
from tests.tokens import make_token
from zoho_mongo_store.testing import LoopbackZoho

CALLERS = (2, 8, 16, 32, 64)
ZOHO_SECONDS = 0.5


def call(peer: Peer, zoho: LoopbackZoho, fields: Fields) -> Call:
    """Ask the SDK for an access token, in a process with a store of its own."""
    with peer.opened() as store, driving(store, zoho):
        return ask(make_token(**fields))


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("callers", CALLERS)
def test_fleet(
    benchmark: BenchmarkFixture,
    make_peer: PeerMaker,
    zoho: LoopbackZoho,
    callers: int,
    peer: str,
) -> None:
    benchmark.group = f"{callers} callers"
    zoho.configure(delay=ZOHO_SECONDS)
    shared = make_peer(peer, f"fleet_{callers}_{list(PEERS).index(peer)}")
    user = expired_token(shared, zoho)
    zoho.clear()

    arguments = [(shared, zoho, user)] * callers
    calls: list[Call] = benchmark.pedantic(in_processes, (call, arguments), rounds=1)

    benchmark.extra_info.update(outcome(calls, zoho))


def expired_token(peer: Peer, zoho: LoopbackZoho) -> Fields:
    """Store one, as a login left it more than an hour ago; what its user looks it up with."""
    user = {"user_name": "ada@example.com:1", **CLIENT}
    refresh_token = zoho.refresh_token()
    token = make_token(
        refresh_token=refresh_token,
        access_token="expired",
        expires_in="1000",
        api_domain=zoho.url,
        id="1",
        **user,
    )
    with peer.opened() as store:
        store.save_token(token)
    return user


def outcome(calls: list[Call], zoho: LoopbackZoho) -> dict[str, Any]:
    """What Zoho received, and what the callers had of it."""
    usable = [call for call in calls if call.access_token and zoho.is_live(call.access_token)]
    return {
        "requests": zoho.count("refresh"),
        "failed": len(calls) - len(usable),
        "seconds": max(call.ended for call in calls) - min(call.began for call in calls),
        "errors": sorted({f"{call.code}" for call in calls if call.message}),
    }
