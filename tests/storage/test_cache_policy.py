"""What a cache policy accepts."""

from datetime import timedelta
from typing import Any

import pytest

from tests.failures import fails
from zoho_mongo_store import CachePolicy, MongoTokenStore
from zoho_mongo_store.errors import InvalidInputError

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "max_age or stale_if_error"),
        ({"max_tokens": 10}, "max_age or stale_if_error"),
        ({"max_age": 60}, "max_age"),
        ({"max_age": -MINUTE}, "max_age"),
        ({"max_age": MINUTE, "stale_if_error": 60.0}, "stale_if_error"),
        ({"stale_if_error": -MINUTE}, "stale_if_error"),
        ({"max_age": MINUTE, "max_tokens": 0}, "max_tokens"),
        ({"max_age": MINUTE, "max_tokens": True}, "max_tokens"),
        ({"max_age": MINUTE, "max_tokens": 10.0}, "max_tokens"),
    ],
)
def test_what_is_no_policy(given: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInputError, match=named):
        CachePolicy(**given)


@pytest.mark.parametrize("cache", [MINUTE, 60, True])
def test_a_store_takes_nothing_but_a_policy(cache: Any) -> None:
    with fails("CachePolicy"):
        MongoTokenStore("mongodb://127.0.0.1:1", cache=cache)
