"""As ``tests/sdk/test_expiry.py``."""

from tests.sdk.test_expiry import *  # noqa: F403
