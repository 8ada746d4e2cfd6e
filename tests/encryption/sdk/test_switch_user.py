"""As ``tests/sdk/test_switch_user.py``."""

from tests.sdk.test_switch_user import *  # noqa: F403
