"""As ``tests/sdk/test_revoke_and_remove.py``."""

from tests.sdk.test_revoke_and_remove import *  # noqa: F403
