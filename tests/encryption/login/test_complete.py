"""What of ``tests/login/test_complete.py`` finds a grant token, or a user."""

from tests.login.test_complete import (
    test_a_claim_that_is_gone_lets_nobody_in,
    test_a_second_login_replaces_the_first,
    test_a_used_callback_is_of_no_use_to_anybody_else,
    test_the_same_callback_again_is_the_same_login,
)

__all__ = [
    "test_a_claim_that_is_gone_lets_nobody_in",
    "test_a_second_login_replaces_the_first",
    "test_a_used_callback_is_of_no_use_to_anybody_else",
    "test_the_same_callback_again_is_the_same_login",
]
