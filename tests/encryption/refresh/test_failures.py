"""As ``tests/refresh/test_failures.py``."""

from tests.refresh.test_failures import *  # noqa: F403
