"""Reading and importing very many tokens: time, and the memory that it takes."""

import csv
import resource
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import PeerMaker
from benchmarks.peers import OURS, PEERS
from benchmarks.peers.peer import Peer
from benchmarks.rows import row, rows
from tests.encryption.keys import new_key, settings
from tests.processes import in_processes
from tests.sent_commands import Client
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.encryption.maintenance import encrypt_collection, rotate_data_key
from zoho_mongo_store.encryption.migration import MigrationProgress
from zoho_mongo_store.sdk import TokenStore
from zoho_mongo_store.transfer.columns import COLUMNS
from zoho_mongo_store.transfer.filestore import FileStoreFile
from zoho_mongo_store.transfer.importing import import_tokens

ITERATE = "iter_tokens"
COUNTS = (1000, 100_000)
ENCRYPTED_COUNTS = (1000, 100_000)
READERS = {f"{OURS}, {ITERATE}": (OURS, ITERATE)} | {
    f"{peer}, get_tokens": (peer, "get_tokens") for peer in PEERS
}


def count(store: TokenStore, method: str) -> int:
    """Read all tokens, and keep none longer than the method does."""
    tokens: Iterable[object] = getattr(store, method)()
    numbered = deque(enumerate(tokens, 1), maxlen=1)
    return numbered.pop()[0] if numbered else 0


def memory_of_reading(peer: Peer, method: str) -> float:
    """The MiB that reading all tokens takes on top, in a process that has found one before."""
    with peer.opened() as store:
        assert store.find_token_by_id(row(1)["id"]) is not None
        before = _resident()
        count(store, method)
        return _peak() - before


def imported(peer: Peer, path: Path) -> tuple[int, float, float]:
    """Import a file of the SDK's FileStore.

    Returns:
        How many tokens are new, and the MiB and the seconds of this process's CPU that it took.
    """
    with MongoTokenStore(peer.sites.mongodb, database=peer.storage) as store:
        before, cpu = _resident(), time.process_time()
        report = import_tokens(FileStoreFile(path), store.collection)
        return report.inserted, _peak() - before, time.process_time() - cpu


@pytest.mark.parametrize("tokens", COUNTS)
@pytest.mark.parametrize("reader", READERS)
def test_read(benchmark: BenchmarkFixture, make_peer: PeerMaker, reader: str, tokens: int) -> None:
    name, method = READERS[reader]
    benchmark.group = f"read {tokens} tokens"
    peer = make_peer(name, f"growth_{tokens}", tokens)
    with peer.opened() as store:
        assert benchmark.pedantic(count, (store, method), rounds=2) == tokens
    (memory,) = in_processes(memory_of_reading, [(peer, method)], timeout=300)
    benchmark.extra_info["memory_mib"] = memory


@pytest.mark.parametrize("tokens", COUNTS)
def test_import(
    benchmark: BenchmarkFixture, make_peer: PeerMaker, tmp_path: Path, tokens: int
) -> None:
    benchmark.group = f"import {tokens} tokens"
    path = tmp_path / "tokens.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([row[name] for name in COLUMNS] for row in rows(tokens))

    arguments = [(make_peer(OURS, f"import_{tokens}"), path)]
    ((inserted, memory, cpu),) = benchmark.pedantic(
        in_processes, (imported, arguments, 400), rounds=1
    )

    assert inserted == tokens
    benchmark.extra_info.update(memory_mib=memory, client_cpu=cpu)


@pytest.mark.parametrize("tokens", ENCRYPTED_COUNTS)
def test_encrypt(
    benchmark: BenchmarkFixture, make_peer: PeerMaker, mongodb_uri: str, tokens: int
) -> None:
    """Encrypt a collection, and then rotate its data key."""
    benchmark.group = f"encrypt {tokens} tokens"
    peer = make_peer(OURS, f"encrypt_{tokens}", tokens)
    encryption = settings(peer.storage, new_key())
    with Client(mongodb_uri) as client:
        collection = client[peer.storage].oauthtoken
        report = benchmark.pedantic(encrypt_collection, (collection, encryption), rounds=1)
        waited = Waited()
        began = time.perf_counter()
        rotated = rotate_data_key(
            collection, encryption, store_timeout=1, on_progress=waited.on_progress
        )
        benchmark.extra_info["rotation"] = time.perf_counter() - began - waited.seconds
    assert (report.changed, rotated.changed) == (tokens, tokens)


class Waited:
    """Adds up what a rotation waits for all processes to know of the new key.

    Attributes:
        seconds: How long that was.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def on_progress(self, progress: MigrationProgress) -> None:
        """Count a wait once it is over."""
        if progress.step == "waiting" and progress.done == progress.total:
            self.seconds += progress.total


def _resident() -> float:
    return psutil.Process().memory_info().rss / 2**20


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
