"""What the store adds to an API call when MongoDB is some milliseconds away."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pymongo.uri_parser import parse_uri
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import PeerMaker
from benchmarks.peers import OURS, RAW
from benchmarks.peers.raw_store import RawStore
from benchmarks.rows import row, token_of
from benchmarks.test_hot_path import CACHE, CACHED, TOKENS
from tests.faults.proxy import Proxy
from tests.refresh.callers import driving
from tests.sdk.application import Application, current_user
from tests.sent_commands import Client
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import TokenStore
from zoho_mongo_store.testing import LoopbackZoho

SUBJECTS = (RAW, OURS, CACHED)
FIND, API_CALL = OPERATIONS = ("find_token_by_id", "an API call")
ROUND_TRIP = 0.02
ID = "1"


@pytest.fixture(scope="module")
def stores(
    mongodb_uri: str, make_peer: PeerMaker, zoho: LoopbackZoho
) -> Iterator[dict[str, TokenStore]]:
    """The stores by subject, each with connections of its own over the distance."""
    database = make_peer(OURS, "distance", TOKENS).storage
    ((_, port), *_) = parse_uri(mongodb_uri)["nodelist"]
    with ExitStack() as stack:
        proxy = stack.enter_context(Proxy(port, delay=ROUND_TRIP / 2))
        client = stack.enter_context(Client(proxy.uri))
        plain, cached = (
            stack.enter_context(MongoTokenStore(proxy.uri, database=database, cache=cache))
            for cache in (None, CACHE)
        )
        token = token_of(row(int(ID)))
        token.set_access_token(zoho.access_token(zoho.refresh_token()))
        token.set_api_domain(zoho.url)
        plain.save_token(token)
        yield {RAW: RawStore(client, database), OURS: plain, CACHED: cached}


@pytest.mark.benchmark(min_rounds=30, max_time=2, warmup=False)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_distance(
    benchmark: BenchmarkFixture,
    stores: dict[str, TokenStore],
    zoho: LoopbackZoho,
    tmp_path: Path,
    subject: str,
    operation: str,
) -> None:
    benchmark.group = f"{operation}, {ROUND_TRIP * 1000:g} ms away"
    store = stores[subject]
    if operation == FIND:
        benchmark(lambda: store.find_token_by_id(ID))
        return
    with driving(store, zoho):
        Application(zoho, {}, str(tmp_path)).initialize(make_token(id=ID), store)
        benchmark(current_user)
