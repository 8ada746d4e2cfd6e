"""As ``tests/sdk/test_many_processes.py``."""

from tests.sdk.test_many_processes import *  # noqa: F403
