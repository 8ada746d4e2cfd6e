"""One refresh for the whole fleet, with encryption: the same tests."""

from tests.refresh.conftest import running_zoho, zoho
from tests.refresh.test_fleet import (
    test_one_refresh_token_under_two_names,
    test_one_request_and_one_access_token_for_all,
)
from tests.refresh.test_takeover import (
    test_the_late_answer_of_a_hanging_holder_does_not_replace_the_newer_token,
)

__all__ = [
    "running_zoho",
    "test_one_refresh_token_under_two_names",
    "test_one_request_and_one_access_token_for_all",
    "test_the_late_answer_of_a_hanging_holder_does_not_replace_the_newer_token",
    "zoho",
]
