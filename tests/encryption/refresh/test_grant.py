"""As ``tests/refresh/test_grant.py``."""

from tests.refresh.test_grant import *  # noqa: F403
