"""One refresh and one grant exchange for the whole fleet, with encryption: the same tests."""

from tests.refresh.conftest import running_zoho, zoho
from tests.refresh.test_fleet import (
    test_one_refresh_token_under_two_names,
    test_one_request_and_one_access_token_for_all,
)
from tests.refresh.test_grant import (
    test_a_second_login_of_the_same_user_joins_the_document,
    test_all_get_the_error_of_the_one_exchange,
    test_one_exchange_for_all,
    test_the_exchange_hands_out_the_refresh_token_too,
)
from tests.refresh.test_takeover import (
    test_the_late_answer_of_a_hanging_holder_does_not_replace_the_newer_token,
)

__all__ = [
    "running_zoho",
    "test_a_second_login_of_the_same_user_joins_the_document",
    "test_all_get_the_error_of_the_one_exchange",
    "test_one_exchange_for_all",
    "test_one_refresh_token_under_two_names",
    "test_one_request_and_one_access_token_for_all",
    "test_the_exchange_hands_out_the_refresh_token_too",
    "test_the_late_answer_of_a_hanging_holder_does_not_replace_the_newer_token",
    "zoho",
]
