"""The policy: its defaults, what it refuses, and how long the rests are."""

from datetime import timedelta
from typing import Any

import pytest

from zoho_mongo_store import RefreshPolicy
from zoho_mongo_store.errors import InvalidInputError

NETWORK = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
REFUSAL = [60, 120, 240, 480, 600, 600]


def test_the_defaults() -> None:
    assert RefreshPolicy() == RefreshPolicy(
        lease=timedelta(seconds=20),
        ahead=timedelta(seconds=60),
        network_cool_down=timedelta(seconds=1),
        refusal_cool_down=timedelta(seconds=60),
        longest_cool_down=timedelta(minutes=10),
    )


@pytest.mark.parametrize(("refused", "rests"), [(False, NETWORK), (True, REFUSAL)])
def test_the_cool_down_doubles_up_to_the_longest(refused: bool, rests: list[int]) -> None:
    policy = RefreshPolicy()

    found = [policy.cool_down(refused, failures) for failures in range(1, len(rests) + 1)]

    assert found == [timedelta(seconds=seconds) for seconds in rests]


@pytest.mark.parametrize("failures", [100, 10**6])
def test_any_number_of_failures_has_a_cool_down(failures: int) -> None:
    policy = RefreshPolicy(longest_cool_down=timedelta(days=365))

    assert policy.cool_down(True, failures) == timedelta(days=365)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lease": 20}, "lease"),
        ({"lease": timedelta(0)}, "lease"),
        ({"lease": timedelta(milliseconds=999)}, "lease"),
        ({"ahead": timedelta(seconds=-1)}, "ahead"),
        ({"ahead": None}, "ahead"),
        ({"ahead": timedelta(minutes=30, microseconds=1)}, "ahead must be at most 30 minutes"),
        ({"network_cool_down": 1.0}, "network_cool_down"),
        ({"refusal_cool_down": timedelta(seconds=-1)}, "refusal_cool_down"),
        ({"longest_cool_down": "10m"}, "longest_cool_down"),
    ],
)
def test_wrong_input_is_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        RefreshPolicy(**options)


def test_half_a_life_ahead_is_taken() -> None:
    assert RefreshPolicy(ahead=timedelta(minutes=30)).ahead == timedelta(minutes=30)


def test_it_cannot_be_changed() -> None:
    policy: Any = RefreshPolicy()

    with pytest.raises(AttributeError):
        policy.lease = timedelta(seconds=1)
