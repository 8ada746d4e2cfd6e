"""Leases: one holder at a time, each step one command that checks whose the lease is."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from bson.codec_options import CodecOptions
from pymongo import MongoClient

from tests.engines import SERVERS, Engine
from tests.processes import in_processes
from tests.refresh.callers import CLIENT as ZOHO_CLIENT
from tests.refresh.callers import driving
from tests.sent_commands import listening
from tests.tokens import CLIENT, make_token
from zoho_mongo_store import MongoTokenStore, RefreshPolicy
from zoho_mongo_store.refresh.lease import Failure, Lease, lease_key
from zoho_mongo_store.refresh.leases import Leases
from zoho_mongo_store.testing import LoopbackZoho

# Leases that are long over are purged.
NOW = datetime.now(UTC).replace(microsecond=0)
LEASE = timedelta(seconds=20)
MOMENT = timedelta(milliseconds=1)
REFUSED = Failure("INVALID TOKEN ERROR", "invalid_code", refused=True)
AWAY = Failure("ERROR", "connection refused", refused=False)
REQUEST = "0123456789abcdef"
KEY = lease_key("refresh_token", "1000.secret")
NAME = "oauthtoken.leases"


def leases_in(client: "MongoClient[dict[str, Any]]", database: str) -> Leases:
    """The leases of that database."""
    options: Any = CodecOptions(tz_aware=True)
    collection = client[database].get_collection(NAME, options)
    return Leases(lambda: collection, 30, RefreshPolicy())


@pytest.fixture
def leases(engine: Engine, database: str) -> Leases:
    """Leases with the default policy."""
    return leases_in(engine.client, database)


@pytest.fixture
def lease(leases: Leases) -> Lease:
    """The lease, taken at ``NOW``."""
    return acquired(leases, NOW)


def acquired(leases: Leases, moment: datetime, replacing: str | None = None) -> Lease:
    """The lease, which has to be free."""
    lease = leases.acquire(KEY, REQUEST, moment, replacing)
    assert lease is not None
    return lease


def test_the_key_gives_nothing_away() -> None:
    assert lease_key("refresh_token", "1000.secret") == KEY
    assert len({KEY, lease_key("grant_token", "1000.secret"), lease_key("refresh_token", "x")}) == 3
    assert "secret" not in KEY


def test_one_holder_at_a_time(leases: Leases, lease: Lease) -> None:
    assert leases.acquire(KEY, REQUEST, NOW) is None
    assert leases.acquire(KEY, REQUEST, NOW + timedelta(days=1)) is None
    state = leases.read(KEY)
    assert state is not None
    assert (state.owner, state.until) == (lease.owner, NOW + LEASE)


def test_each_credential_has_a_lease_of_its_own(leases: Leases, lease: Lease) -> None:
    other = leases.acquire(lease_key("refresh_token", "another"), REQUEST, NOW)

    assert other is not None
    assert other.owner != lease.owner


def test_nothing_is_known_of_a_credential_that_nobody_redeemed(leases: Leases) -> None:
    assert leases.read(KEY) is None


def test_a_lease_that_ran_out_is_taken_over_from_the_one_who_let_it(
    leases: Leases, lease: Lease
) -> None:
    assert leases.acquire(KEY, REQUEST, NOW + LEASE - MOMENT, lease.owner) is None
    assert leases.acquire(KEY, REQUEST, NOW + LEASE, "somebody else") is None

    other = acquired(leases, NOW + LEASE, lease.owner)

    assert other.owner != lease.owner
    assert leases.acquire(KEY, REQUEST, NOW + LEASE, lease.owner) is None


def test_who_lost_the_lease_changes_nothing(leases: Leases, lease: Lease) -> None:
    acquired(leases, NOW + LEASE, lease.owner)
    before = leases.read(KEY)

    assert not leases.extend(lease, NOW + LEASE)
    assert not leases.succeed(lease)
    assert not leases.fail(lease, REFUSED, NOW + LEASE)
    assert not leases.release(lease, counted=False)
    assert not leases.release(lease, counted=True)
    assert leases.read(KEY) == before


def test_extending(leases: Leases, lease: Lease) -> None:
    assert leases.extend(lease, NOW + LEASE / 2)

    assert leases.acquire(KEY, REQUEST, NOW + LEASE, lease.owner) is None
    acquired(leases, NOW + LEASE * 1.5, lease.owner)


@pytest.mark.parametrize(
    "end",
    [
        Leases.succeed,
        functools.partial(Leases.release, counted=False),
        functools.partial(Leases.release, counted=True),
    ],
    ids=["succeed", "release_uncounted", "release_counted"],
)
def test_after_its_end_the_lease_is_free_at_once(
    leases: Leases, lease: Lease, end: Callable[[Leases, Lease], bool]
) -> None:
    assert end(leases, lease)

    state = leases.read(KEY)
    assert state is not None
    assert (state.owner, state.failure, state.failed_owner) == (None, None, None)
    assert not end(leases, lease)
    acquired(leases, NOW)


@pytest.mark.parametrize(("failure", "seconds"), [(REFUSED, 60), (AWAY, 1)])
def test_a_failure_is_told_and_begins_the_cool_down(
    leases: Leases, lease: Lease, failure: Failure, seconds: int
) -> None:
    assert leases.fail(lease, failure, NOW)

    state = leases.read(KEY)
    assert state is not None
    assert (state.owner, state.failure, state.failed_owner) == (None, failure, lease.owner)
    end = NOW + timedelta(seconds=seconds)
    assert state.retry_after == end
    assert leases.acquire(KEY, REQUEST, end - MOMENT) is None
    again = acquired(leases, end)
    assert (again.failures, again.failure) == (1, failure)


def test_failures_of_one_kind_add_up_and_success_forgets_them(leases: Leases, lease: Lease) -> None:
    leases.fail(lease, REFUSED, NOW)
    leases.fail(acquired(leases, NOW + timedelta(minutes=1)), REFUSED, NOW)
    third = acquired(leases, NOW + timedelta(minutes=5))
    assert third.failures == 2
    leases.succeed(third)

    after = leases.read(KEY)
    assert after is not None
    assert (after.failure, after.failed_owner) == (None, None)
    assert after.retry_after < NOW
    assert acquired(leases, NOW + timedelta(minutes=5)).failures == 0


def test_a_failure_of_the_other_kind_begins_anew(leases: Leases, lease: Lease) -> None:
    leases.fail(lease, AWAY, NOW)
    second = acquired(leases, NOW + timedelta(seconds=1))
    leases.fail(second, REFUSED, NOW)

    assert acquired(leases, NOW + timedelta(seconds=60)).failures == 1


def test_a_cool_down_belongs_to_the_request_that_failed(leases: Leases, lease: Lease) -> None:
    leases.fail(lease, REFUSED, NOW)
    corrected = leases.acquire(KEY, "corrected", NOW)
    assert corrected is not None
    assert (corrected.failures, corrected.failure) == (0, None)
    leases.succeed(corrected)

    assert leases.acquire(KEY, REQUEST, NOW) is None
    state, other = leases.read(KEY, REQUEST), leases.read(KEY, "corrected")
    assert state is not None
    assert other is not None
    assert (state.failure, other.failure) == (REFUSED, None)
    assert acquired(leases, NOW + timedelta(minutes=1)).failures == 1


def test_the_limit_belongs_to_the_credential(leases: Leases) -> None:
    for number in range(10):
        lease = leases.acquire(KEY, f"request{number}", NOW)
        assert lease is not None
        leases.fail(lease, REFUSED, NOW)

    assert leases.acquire(KEY, "another", NOW) is None


def test_a_lasting_refusal_is_known_for_as_long_as_it_takes_to_confirm_it(
    engine: Engine, database: str, leases: Leases, lease: Lease
) -> None:
    leases.fail(lease, REFUSED._replace(lasting=True), NOW)

    stored = engine.client[database][NAME].find_one()
    assert stored is not None
    assert stored["purge_at"].replace(tzinfo=UTC) > NOW + timedelta(days=7)


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_leases_are_written_to_the_majority_whatever_tokens_are(
    engine: Engine, database: str, zoho: LoopbackZoho
) -> None:
    zoho.configure(delay=0)
    with listening(engine.uri, w=1) as (client, commands):
        store = MongoTokenStore(client=client, database=database)
        with store, driving(store, zoho):
            token = make_token(
                refresh_token=zoho.refresh_token(),
                access_token="old",
                expires_in="1000",
                user_name="ada",
                **ZOHO_CLIENT,
            )
            store.save_token(token)
            commands.clear()
            assert make_token(id=token.get_id()).get_token() != "old"

    written = [
        sent.get("writeConcern", {}).get("w")
        for sent in commands.sent
        if NAME in (sent.get("findAndModify"), sent.get("update"))
    ]
    assert written == ["majority"] * 3


def test_ten_requests_in_the_window(leases: Leases) -> None:
    for second in range(10):
        leases.succeed(acquired(leases, NOW + timedelta(seconds=second)))
    full = NOW + timedelta(seconds=10)

    assert leases.acquire(KEY, REQUEST, full) is None
    state = leases.read(KEY)
    assert state is not None
    assert state.retry_after >= NOW + timedelta(minutes=10)
    assert leases.acquire(KEY, REQUEST, state.retry_after - MOMENT) is None
    leases.succeed(acquired(leases, state.retry_after))
    # The second of the ten is a second younger.
    assert leases.acquire(KEY, REQUEST, state.retry_after + timedelta(seconds=1) - MOMENT) is None
    acquired(leases, state.retry_after + timedelta(seconds=1))


def test_takeovers_count_as_requests(leases: Leases, lease: Lease) -> None:
    moment = NOW
    for _ in range(9):
        moment += LEASE
        lease = acquired(leases, moment, lease.owner)

    assert leases.acquire(KEY, REQUEST, moment + LEASE, lease.owner) is None


def test_what_was_given_back_does_not_count(leases: Leases) -> None:
    for _ in range(30):
        leases.release(acquired(leases, NOW), counted=False)
    for _ in range(10):
        leases.succeed(acquired(leases, NOW))

    assert leases.acquire(KEY, REQUEST, NOW) is None


def test_a_lease_outlives_whatever_counts(engine: Engine, database: str, leases: Leases) -> None:
    acquired(leases, NOW)

    stored = engine.client[database][NAME].find_one()
    assert stored is not None
    kept = stored["purge_at"].replace(tzinfo=UTC) - NOW
    assert timedelta(minutes=20) < kept < timedelta(days=1)


def test_the_store_makes_the_index_that_purges_leases(
    engine: Engine, database: str, store: MongoTokenStore
) -> None:
    store.find_token_by_id("unknown")

    indexes = engine.client[database][NAME].index_information()
    assert dict(indexes["purge_at_1"]["key"]) == {"purge_at": 1}
    assert indexes["purge_at_1"]["expireAfterSeconds"] == 0


def test_deleting_all_tokens_leaves_no_lease(
    engine: Engine, database: str, store: MongoTokenStore
) -> None:
    store.save_token(make_token(refresh_token="1000.secret", **CLIENT))
    leases = leases_in(engine.client, database)
    leases.fail(acquired(leases, NOW), REFUSED, NOW)

    store.delete_tokens()

    assert engine.client[database][NAME].count_documents({}) == 0
    assert engine.client[database].oauthtoken.count_documents({}) == 0


def test_no_credential_stands_in_a_lease(engine: Engine, database: str, leases: Leases) -> None:
    leases.fail(acquired(leases, NOW), REFUSED, NOW)

    assert "secret" not in str(list(engine.client[database][NAME].find()))


def test_the_clock_is_the_present(leases: Leases) -> None:
    clock = leases.clock()

    first, second = clock(), clock()

    assert first <= second
    # The servers of the tests run on this machine.
    assert abs(second - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_slow_round_trip_is_halved(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([100.0, 104.0, 104.0])
    frozen = SimpleNamespace(monotonic=lambda: next(ticks))
    monkeypatch.setattr("zoho_mongo_store.driver.server_clock.time", frozen)

    clock = leases.clock()

    # Of four seconds two are taken for the way back.
    assert abs(clock() - timedelta(seconds=2) - datetime.now(UTC)) < timedelta(seconds=1)


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_each_step_is_one_command(engine: Engine, database: str) -> None:
    steps: list[Callable[[Leases, Lease], object]] = [
        lambda leases, lease: leases.extend(lease, NOW),
        lambda leases, lease: leases.fail(lease, AWAY, NOW),
        lambda leases, _: leases.acquire(KEY, REQUEST, NOW + LEASE),
        lambda leases, _: leases.read(KEY),
        lambda leases, _: leases.clock(),
    ]
    with listening(engine.uri) as (client, commands):
        leases = leases_in(client, database)
        lease = acquired(leases, NOW)
        assert commands.names == ["findAndModify"]
        for step in steps:
            commands.clear()
            step(leases, lease)
            assert len(commands.names) == 1


def holds(leases: Leases, lease: Lease | None) -> bool:
    """Whether there is a lease, which then has to be in force."""
    if lease is not None:
        assert leases.extend(lease, NOW + LEASE)
    return lease is not None


def race(uri: str, database: str, keys: list[str]) -> list[bool]:
    """Which leases this process gets."""
    with MongoClient[dict[str, Any]](uri) as client:
        leases = leases_in(client, database)
        return [holds(leases, leases.acquire(key, REQUEST, NOW)) for key in keys]


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_of_many_processes_one_gets_each_lease(engine: Engine, database: str) -> None:
    keys = [f"{number:064}" for number in range(20)]

    won = in_processes(race, [(engine.uri, database, keys)] * 8)

    assert [sum(of_key) for of_key in zip(*won, strict=True)] == [1] * len(keys)


def take_over(uri: str, database: str, owners: dict[str, str]) -> list[bool]:
    """Which leases this process takes over."""
    with MongoClient[dict[str, Any]](uri) as client:
        leases = leases_in(client, database)
        return [
            leases.acquire(key, REQUEST, NOW + LEASE, owner) is not None
            for key, owner in owners.items()
        ]


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
def test_of_many_processes_one_takes_each_lease_over(engine: Engine, database: str) -> None:
    leases = leases_in(engine.client, database)
    taken = [leases.acquire(f"{number:064}", REQUEST, NOW) for number in range(20)]
    owners = {lease.key: lease.owner for lease in taken if lease is not None}

    won = in_processes(take_over, [(engine.uri, database, owners)] * 8)

    assert [sum(of_key) for of_key in zip(*won, strict=True)] == [1] * len(owners) == [1] * 20


def test_what_counts_is_kept_through_the_longest_lease_and_cool_down(
    engine: Engine, database: str
) -> None:
    day = timedelta(days=1)
    collection = engine.client[database].get_collection(NAME, CodecOptions[Any](tz_aware=True))
    policy = RefreshPolicy(lease=day, refusal_cool_down=2 * day, longest_cool_down=2 * day)
    leases = Leases(lambda: collection, 30, policy)

    lease = acquired(leases, NOW)
    assert (collection.find_one() or {})["purge_at"] > NOW + day
    assert leases.fail(lease, REFUSED, NOW)
    assert (collection.find_one() or {})["purge_at"] > NOW + 2 * day


@pytest.mark.parametrize("engine", SERVERS, indirect=True)
@pytest.mark.usefixtures("replica_set")
def test_a_refresh_reads_from_the_primary_whatever_the_user_reads_from(
    engine: Engine, database: str, zoho: LoopbackZoho
) -> None:
    zoho.configure(delay=0)
    with listening(engine.uri, readPreference="secondaryPreferred") as (client, commands):
        store = MongoTokenStore(client=client, database=database)
        with store, driving(store, zoho):
            token = make_token(
                user_name="ada",
                refresh_token=zoho.refresh_token(),
                access_token="old",
                expires_in="1000",
                **ZOHO_CLIENT,
            )
            store.save_token(token)
            commands.clear()
            assert make_token(id=token.get_id()).get_token() != "old"

    preferences = [
        sent.get("$readPreference", {"mode": "primary"})["mode"]
        for sent in commands.sent
        if "find" in sent
    ]
    assert preferences == ["secondaryPreferred", "primary"]
