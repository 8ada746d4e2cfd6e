"""As ``tests/sdk/test_failing_save.py``."""

from tests.sdk.test_failing_save import *  # noqa: F403
