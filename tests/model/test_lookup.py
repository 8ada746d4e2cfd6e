"""The find order, step by step: pure functions from fields to filters."""

import itertools
from typing import Any

import pytest

from tests.tokens import CLIENT
from zoho_mongo_store.model.lookup import (
    find_filters,
    other_clients_filter,
    save_filters,
    shared_id,
)

EVERYTHING = {
    "id": "7",
    "user_name": "ada@example.com:1",
    "access_token": "A",
    "grant_token": "G",
    "refresh_token": "R",
    **CLIENT,
}
NAMELESS = {"user_name": {"$exists": False}}
# No filter finds the document of another OAuth client.
SAME_CLIENT = {"client_id": {"$in": ["1000.CLIENT", None]}}


def only(*names: str) -> dict[str, str]:
    """These of all fields."""
    return {name: EVERYTHING[name] for name in names}


CREDENTIALS = only("access_token", "grant_token", "refresh_token")


def test_an_id_is_decisive_for_finding() -> None:
    assert find_filters(EVERYTHING) == [{"id": "7", **SAME_CLIENT}]


def test_for_saving_an_unknown_id_goes_on_down_the_list() -> None:
    assert save_filters(EVERYTHING) == [
        {"id": "7", **SAME_CLIENT},
        {"user_name": "ada@example.com:1", **SAME_CLIENT},
        {"grant_token": "G", **NAMELESS, **SAME_CLIENT},
        {"refresh_token": "R", **NAMELESS, **SAME_CLIENT},
    ]


def test_the_user_name_comes_before_the_access_token() -> None:
    assert find_filters(only("user_name") | CREDENTIALS) == [
        {"user_name": "ada@example.com:1"},
        {"access_token": "A", **NAMELESS},
    ]


def test_without_a_client_the_access_token_alone_counts() -> None:
    assert find_filters(CREDENTIALS) == [{"access_token": "A"}]


def test_with_a_client_the_grant_token_comes_before_the_refresh_token() -> None:
    assert find_filters(CREDENTIALS | CLIENT) == [
        {"grant_token": "G", **SAME_CLIENT},
        {"refresh_token": "R", **SAME_CLIENT},
    ]


@pytest.mark.parametrize("half", ["client_id", "client_secret"])
def test_half_a_client_redeems_nothing(half: str) -> None:
    assert find_filters(CREDENTIALS | only(half)) == []
    same_client = SAME_CLIENT if half == "client_id" else {}
    by_name = only("user_name") | same_client
    assert find_filters(CREDENTIALS | only(half, "user_name")) == [by_name]


@pytest.mark.parametrize(
    "fields",
    [{}, only("client_id"), dict(CLIENT), {"redirect_url": "https://example.com/", **CLIENT}],
)
def test_nothing_to_look_up_by_gives_no_filter(fields: dict[str, Any]) -> None:
    assert find_filters(fields) == []
    assert save_filters(fields) == []


def test_no_filter_matches_any_document() -> None:
    """Whatever a token carries, each filter begins with an equality on one of its own values."""
    names = list(EVERYTHING)
    for count in range(len(names) + 1):
        for chosen in itertools.combinations(names, count):
            fields = only(*chosen)
            for filter in [*find_filters(fields), *save_filters(fields)]:
                (name, value), *more = filter.items()
                assert value == fields[name]
                conditions = dict(more)
                assert conditions.pop("client_id", None) == (
                    SAME_CLIENT["client_id"] if "client_id" in fields else None
                )
                assert conditions in ({}, NAMELESS)
                assert not conditions or "user_name" in fields


def test_only_a_token_with_name_and_client_takes_a_name_from_another_client() -> None:
    other = {"user_name": "ada@example.com:1", "client_id": {"$nin": ["1000.CLIENT", None]}}

    assert other_clients_filter(EVERYTHING) == other
    assert other_clients_filter(only("user_name")) is None
    assert other_clients_filter(CLIENT) is None


def test_all_who_insert_the_same_token_come_to_the_same_id() -> None:
    one = save_filters(only("refresh_token") | CLIENT)
    same = save_filters(only("refresh_token", "access_token") | CLIENT)

    assert shared_id(one, 0) == shared_id(same, 0)
    assert len(str(shared_id(one, 0))) == 32


def test_another_token_or_another_attempt_comes_to_another_id() -> None:
    filters = [[{"refresh_token": "R"}], [{"refresh_token": "S"}], [{"grant_token": "R"}]]

    assert len({shared_id(one, attempt) for one in filters for attempt in range(4)}) == 12


def test_nothing_to_look_up_by_shares_no_id() -> None:
    assert shared_id([], 0) is None
