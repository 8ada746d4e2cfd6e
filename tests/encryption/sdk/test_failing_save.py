"""As ``tests/sdk/test_failing_save.py``, but for the test that has a store of its own."""

from tests.sdk.test_failing_save import (
    refresh,
    refusing,
    test_is_logged_as_an_error_without_any_secret,
)

__all__ = ["refresh", "refusing", "test_is_logged_as_an_error_without_any_secret"]
