"""Many processes that save the same tokens at once, with encryption: the same tests."""

import pytest

from tests.test_races import (
    PROCESSES,
    test_a_user_name_that_many_take_over_ends_with_one,
    test_many_users_one_after_the_other,
    test_none_of_32_users_is_lost,
    test_one_document_for_each_key_whoever_wins,
    test_two_users_with_one_refresh_token_have_a_document_each,
)

__all__ = [
    "test_a_user_name_that_many_take_over_ends_with_one",
    "test_many_users_one_after_the_other",
    "test_none_of_32_users_is_lost",
    "test_one_document_for_each_key_whoever_wins",
    "test_two_users_with_one_refresh_token_have_a_document_each",
]


@pytest.fixture
def racers() -> int:
    """Fewer than without encryption, which each process has to set up."""
    return PROCESSES
