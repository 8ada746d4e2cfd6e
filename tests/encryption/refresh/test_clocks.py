"""As ``tests/refresh/test_clocks.py``."""

from tests.refresh.test_clocks import *  # noqa: F403
