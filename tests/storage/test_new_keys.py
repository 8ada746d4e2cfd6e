"""The keys of a new document: whichever credential two tokens share, they collide."""

import itertools
from typing import Any

import pytest

from tests.tokens import CLIENT
from zoho_mongo_store.storage.new_keys import NewKeys

GRANT, REFRESH = {"grant_token": "G"}, {"refresh_token": "R"}
BOTH = {**GRANT, **REFRESH}
ACCESS = {"access_token": "A"}


def keys(fields: dict[str, Any]) -> set[tuple[str, str]]:
    """The keys that a process tries first."""
    return set(NewKeys(fields).current().items())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *itertools.combinations_with_replacement(
            [{**CLIENT, **brought} for brought in (GRANT, BOTH)], 2
        ),
        *itertools.combinations_with_replacement(
            [{**CLIENT, **brought} for brought in (REFRESH, BOTH)], 2
        ),
        ({**CLIENT, **GRANT}, {**CLIENT, **BOTH, "user_name": "ada"}),
        ({**CLIENT, **GRANT}, {**CLIENT, **BOTH, "id": "own"}),
        ({**CLIENT, **REFRESH}, {**CLIENT, **REFRESH, "id": "own"}),
        (ACCESS, {**ACCESS, "user_name": "ada"}),
        (ACCESS, {**ACCESS, "id": "own"}),
        ({"id": "own"}, {**CLIENT, **BOTH, "id": "own"}),
    ],
)
def test_two_tokens_that_share_a_credential_have_a_key_in_common(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert keys(one) & keys(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({**CLIENT, **GRANT}, {**CLIENT, **REFRESH}),
        ({**CLIENT, "grant_token": "X"}, {**CLIENT, "refresh_token": "X"}),
        ({"access_token": "A", "client_id": "half"}, {"access_token": "A", "client_id": "half"}),
        ({"user_name": "ada", "access_token": "A", **CLIENT}, {"user_name": "ada", **CLIENT}),
    ],
)
def test_two_tokens_that_share_none_have_not(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert not keys(one) & keys(other)


def test_only_the_key_that_was_taken_changes() -> None:
    new = NewKeys({**CLIENT, **BOTH})
    first = new.current()

    new.reject("id")
    second = new.current()
    new.reject("user_name")
    assert new.current() == second
    new.reject("_id")

    assert second["_id"] == first["_id"]
    assert second["id"] != first["id"]
    assert new.current()["_id"] != first["_id"]
    assert new.current()["id"] == second["id"]


def test_an_id_that_another_client_has_is_given_up() -> None:
    new = NewKeys({"id": "own", **CLIENT, **GRANT})

    ids = []
    for _ in range(3):
        ids.append(new.current()["id"])
        new.reject("id")

    assert ids[:2] == ["own", "own"]
    assert len(ids[2]) == 32


def test_a_key_that_is_not_named_changes_both() -> None:
    new = NewKeys({**CLIENT, **GRANT})
    first = new.current()

    new.reject(None)

    assert not first.items() & new.current().items()
