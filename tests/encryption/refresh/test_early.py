"""As ``tests/refresh/test_early.py``."""

from tests.refresh.test_early import *  # noqa: F403
