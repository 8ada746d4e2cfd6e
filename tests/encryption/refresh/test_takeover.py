"""As ``tests/refresh/test_takeover.py``."""

from tests.refresh.test_takeover import *  # noqa: F403
