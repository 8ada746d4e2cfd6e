"""One request to Zoho for all who meet an expired token at once."""

from collections.abc import Callable

import pytest

from tests.engines import SERVERS
from tests.refresh.callers import Fields, Fleet, by_id, by_user_name
from zoho_mongo_store import MongoTokenStore

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

# Processes, threads in each, and what they find the token by.
FLEETS = [
    (1, 64, by_id),
    (24, 1, by_id),
    (24, 1, by_user_name),
    (6, 8, by_user_name),
]


@pytest.mark.parametrize(("processes", "threads", "found"), FLEETS)
def test_one_request_and_one_access_token_for_all(
    fleet: Fleet, processes: int, threads: int, found: Callable[[Fields], Fields]
) -> None:
    fields = fleet.stored()

    calls = fleet.call([found(fields)] * processes, threads)

    assert len(calls) == processes * threads
    assert [call.message for call in calls if call.message] == []
    (access_token,) = {call.access_token for call in calls}
    assert fleet.zoho.is_live(access_token or "")
    assert fleet.zoho.count("refresh", fields["refresh_token"]) == 1
    with fleet.store() as store:
        found_token = store.find_token_by_id(fields["id"])
    assert found_token is not None
    assert found_token.get_access_token() == access_token


@pytest.mark.parametrize(("processes", "threads"), [(1, 8), (8, 1)])
def test_without_a_policy_each_caller_asks(fleet: Fleet, processes: int, threads: int) -> None:
    # The last has to ask before the first has its answer.
    fleet.zoho.configure(delay=8)
    fleet = fleet.having(refresh=None)
    fields = fleet.stored()

    calls = fleet.call([by_id(fields)] * processes, threads)

    assert len({call.access_token for call in calls}) == 8
    assert fleet.zoho.count("refresh", fields["refresh_token"]) == 8


def test_callers_by_id_and_by_name_share_one_request(fleet: Fleet) -> None:
    fields = fleet.stored()

    calls = fleet.call([by_id(fields), by_user_name(fields)] * 4, threads=2)

    assert len({call.access_token for call in calls}) == 1
    assert fleet.zoho.count("refresh") == 1


def test_no_token_waits_for_another(fleet: Fleet) -> None:
    delay = 8
    fleet.zoho.configure(delay=delay)
    tokens = [fleet.stored() for _ in range(6)]

    calls = fleet.call([by_id(fields) for fields in tokens] * 2, threads=2)

    for fields in tokens:
        assert fleet.zoho.count("refresh", fields["refresh_token"]) == 1
    assert len({call.access_token for call in calls}) == len(tokens)
    asked = [request.time for request in fleet.zoho.requests()]
    assert max(asked) - min(asked) < delay


def test_one_refresh_token_under_two_names(fleet: Fleet) -> None:
    first = fleet.stored()
    second = fleet.stored(
        user_name="ada at work",
        refresh_token=first["refresh_token"],
        access_token="expired at work",
    )
    assert first["id"] != second["id"]

    calls = fleet.call([by_id(first), by_id(second)] * 4)

    assert [call.message for call in calls if call.message] == []
    assert len({call.access_token for call in calls[0::2]}) == 1
    assert len({call.access_token for call in calls[1::2]}) == 1
    assert fleet.zoho.count("refresh", first["refresh_token"]) == 2


def test_a_second_caller_goes_on_with_the_first_ones_token(fleet: Fleet) -> None:
    fields = fleet.stored()

    first, second = fleet.call([by_id(fields)]), fleet.call([by_id(fields)])

    assert first[0].access_token == second[0].access_token
    assert fleet.zoho.count("refresh") == 1


def test_the_counts_say_who_asked_and_who_waited(fleet: Fleet) -> None:
    fields = fleet.stored()

    counts = [counts for _, counts in fleet.call_counted([by_id(fields)] * 4, threads=4)]

    assert sum(one.refreshed for one in counts) == 1
    assert sum(one.waited for one in counts) == 15
    assert sum(sum(vars(one).values()) for one in counts) == 16


def test_a_store_without_a_policy_counts_nothing(
    make_store: Callable[..., MongoTokenStore],
) -> None:
    counts = make_store(refresh=None).refresh_stats()

    assert set(vars(counts).values()) == {0}
