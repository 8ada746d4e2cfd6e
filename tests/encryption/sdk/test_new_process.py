"""As ``tests/sdk/test_new_process.py``."""

from tests.sdk.test_new_process import *  # noqa: F403
