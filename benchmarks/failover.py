"""Measures what a load notices of failures of a replica set's primary, and prints the table.

Run as ``python -m benchmarks.failover [ROW ...]``; without a row it runs all of them, each on three
new members with MongoDB's default election time-out. Six processes with default options each find
every 50 ms and save every fifth time, for 45 s, in which the primary fails twice.
"""

import argparse
import json
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.faults.documents import login, number_of
from tests.faults.failover_load import Outcome, load, users_of
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LocalMongo
from zoho_mongo_store.testing.member import Member

PROCESSES = 6
PAUSE = 0.05
SECONDS = 45.0
FAILURES_AT = (6.0, 25.0)
# A find and a save are measured by their start; a kept save may need a moment after the last one.
GRACE = 5.0

# What is too long for the table.
UNTABLED = ("server", "errors", "finds in each second", "failures at (s)")

Client = MongoClient[dict[str, Any]]


class Row(NamedTuple):
    """A row of the table: what is done to the primary, and how the stores are made."""

    fail: Callable[[LocalMongo], Callable[[], None]]
    query: str = ""


def step_down(mongo: LocalMongo) -> Callable[[], None]:
    """Have the primary step down in order."""
    mongo.step_down()
    return lambda: None


def kill(mongo: LocalMongo) -> Callable[[], None]:
    """Kill the primary; it is started again before the next failure."""
    primary = mongo.primary
    primary.kill()
    return primary.restart


def stop(mongo: LocalMongo) -> Callable[[], None]:
    """Have the primary hang; it goes on before the next failure."""
    primary = mongo.primary
    primary.stop()
    return primary.cont


ROWS = {
    "replSetStepDown": Row(step_down),
    "SIGKILL": Row(kill),
    "SIGKILL, primaryPreferred": Row(kill, "&readPreference=primaryPreferred"),
    "SIGSTOP": Row(stop),
}


def wait_for_new_primary(mongo: LocalMongo, old: str, timeout: float = 60.0) -> Member:
    """The other member that is primary, as soon as one is."""
    started = time.monotonic()
    while time.monotonic() - started < timeout:
        for member in mongo.members:
            if member.address != old and member.is_primary:
                return member
        time.sleep(0.05)
    raise RuntimeError("no new primary")


class Watch(threading.Thread):
    """Notes what a new primary has, from its election on, until it is stopped.

    Attributes:
        elected_at: When it began.
        seen: The moments, and the number of the save that each user's document was of.
    """

    def __init__(self, primary: Member) -> None:
        super().__init__(daemon=True)
        self.elected_at = time.monotonic()
        self.seen: list[tuple[float, dict[str, int]]] = []
        self._uri = primary.uri
        self._end = threading.Event()

    def run(self) -> None:
        """Look ten times a second."""
        with suppress(PyMongoError), Client(self._uri, timeoutMS=2000) as client:
            while not self._end.wait(0.1):
                self.seen.append((time.monotonic(), numbers(client)))

    def stop(self) -> None:
        """Look no more."""
        self._end.set()
        self.join()

    def kept_after(self, outcomes: list[Outcome]) -> float | str:
        """The seconds until it had every save that had raised before its election."""
        wanted: dict[str, int] = {}
        for one in outcomes:
            for moment, user, turn in one.raised:
                if moment < self.elected_at:
                    wanted[user] = turn
        if not wanted:
            return "none kept"
        for moment, found in self.seen:
            if all(found.get(user, -1) >= turn for user, turn in wanted.items()):
                return round(moment - self.elected_at, 1)
        return "not seen"


def numbers(client: Client) -> dict[str, int]:
    """The number of the save that each user's document is of."""
    found = client.zohooauth.oauthtoken.find()
    return {document["user_name"]: number_of(document) for document in found}


def measure(
    name: str,
    row: Row,
    *,
    seconds: float = SECONDS,
    failures_at: Sequence[float] = FAILURES_AT,
    finders: int = 0,
) -> dict[str, Any]:
    """Run one row.

    Args:
        name: The row's name.
        row: What is done.
        seconds: How long the load lasts.
        failures_at: The seconds after its beginning at which the primary fails.
        finders: How many processes more only find.
    """
    context = multiprocessing.get_context("forkserver")
    with LocalMongo(members=3) as mongo:
        uri = mongo.uri + row.query
        with MongoTokenStore(mongo.uri, timeout=60) as store:
            for worker in range(PROCESSES):
                for user in users_of(worker):
                    store.save_token(make_token(**login(user, 0)))
        end = context.Event()
        processes, pipes = [], []
        for worker in range(PROCESSES + finders):
            pipe, child = context.Pipe()
            process = context.Process(
                target=load,
                args=(uri, worker % PROCESSES, PAUSE, end, child),
                kwargs={"saves": worker < PROCESSES},
                daemon=True,
            )
            process.start()
            processes.append(process)
            pipes.append(pipe)
        elections: list[float] = []
        watches: list[Watch] = []
        began = time.monotonic()
        recover: Callable[[], None] = lambda: None  # noqa: E731
        for moment in failures_at:
            time.sleep(max(0.0, began + moment - time.monotonic()))
            for watch in watches:
                watch.stop()
            recover()
            old = mongo.wait_for_primary().address
            failed_at = time.monotonic()
            recover = row.fail(mongo)
            watches.append(Watch(wait_for_new_primary(mongo, old)))
            watches[-1].start()
            elections.append(watches[-1].elected_at - failed_at)
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        end.set()
        outcomes: list[Outcome] = [pipe.recv() for pipe in pipes]
        attempted = {user: turn for one in outcomes for user, turn in one.attempted.items()}
        acknowledged = {user: turn for one in outcomes for user, turn in one.acknowledged.items()}
        for watch in watches:
            watch.stop()
        ended = time.monotonic()
        with Client(mongo.uri) as client:
            while True:
                stored = numbers(client)
                if all(stored.get(user) == turn for user, turn in attempted.items()):
                    break
                if time.monotonic() - ended > GRACE:
                    break
                time.sleep(0.1)
        lost = sum(stored.get(user, -1) < turn for user, turn in acknowledged.items())
        unwritten = sum(stored.get(user, -1) != turn for user, turn in attempted.items())
        for pipe, process in zip(pipes, processes, strict=True):
            pipe.send(None)
            process.join(30)
        recover()
    errors = [error for one in outcomes for error in one.errors]
    return {
        "failure": name,
        "server": mongo.description,
        "new primary after (s)": [round(one, 1) for one in elections],
        "finds": sum(one.finds for one in outcomes),
        "failed finds": sum(one.failed_finds for one in outcomes),
        "longest find (s)": round(max(one.longest_find for one in outcomes), 2),
        "saves": sum(one.saves for one in outcomes),
        "saves that raised": sum(one.failed_saves for one in outcomes),
        "longest save (s)": round(max(one.longest_save for one in outcomes), 2),
        "acknowledged saves lost": lost,
        "newest saves not stored at the end": unwritten,
        "kept saves stored after the election (s)": [one.kept_after(outcomes) for one in watches],
        "and acknowledged by the majority (s)": written_after(
            outcomes, [one.elected_at for one in watches]
        ),
        "errors": sorted(set(errors))[:3],
        "finds in each second": in_each_second(outcomes[-finders:], began, seconds),
        "failures at (s)": list(failures_at),
    }


def in_each_second(outcomes: list[Outcome], began: float, seconds: float) -> list[int]:
    """How many finds had their answer in each second of the load."""
    counts = Counter(int(moment - began) for one in outcomes for moment in one.found_at)
    return [counts[second] for second in range(int(seconds))]


def written_after(outcomes: list[Outcome], elected_at: list[float]) -> list[float | str]:
    """The seconds from each new primary to the last kept save that was written then."""
    moments = [moment for one in outcomes for moment in one.written_at]
    ends = [*elected_at[1:], float("inf")]
    after = [
        max((one - began for one in moments if began - 1 <= one < end), default=None)
        for began, end in zip(elected_at, ends, strict=True)
    ]
    return ["none kept" if one is None else round(one, 1) for one in after]


def table(results: list[dict[str, Any]]) -> str:
    """The results as a table in Markdown."""
    columns = [name for name in results[0] if name not in UNTABLED]
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for result in results:
        values = [result[name] for name in columns]
        texts = [
            " and ".join(map(str, value)) if isinstance(value, list) else str(value)
            for value in values
        ]
        lines.append("| " + " | ".join(texts) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the rows that the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    chosen = parser.parse_args().rows or list(ROWS)
    results = []
    for name in chosen:
        results.append(measure(name, ROWS[name]))
        print(json.dumps(results[-1], indent=2), flush=True)
    print(f"\n{results[0]['server']}:\n\n{table(results)}")


if __name__ == "__main__":
    main()
