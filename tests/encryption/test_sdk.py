"""What the SDK does with the store, with encryption: the same tests."""

from tests.sdk.conftest import expire, running_zoho, zoho
from tests.sdk.test_expiry import (
    test_a_new_process_refreshes_once,
    test_what_another_refreshed_is_taken,
)
from tests.sdk.test_login import *  # noqa: F403
from tests.sdk.test_new_process import (
    test_goes_on_with_the_stored_token,
    test_one_refresh_token_under_two_names,
)

__all__ = [
    "expire",
    "running_zoho",
    "test_a_new_process_refreshes_once",
    "test_goes_on_with_the_stored_token",
    "test_one_refresh_token_under_two_names",
    "test_what_another_refreshed_is_taken",
    "zoho",
]
