"""As ``tests/sdk/test_login.py``."""

from tests.sdk.test_login import *  # noqa: F403
