"""As ``tests/refresh/test_fleet.py``."""

from tests.refresh.test_fleet import *  # noqa: F403
