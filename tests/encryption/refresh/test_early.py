"""As ``tests/refresh/test_early.py``, but for what makes a store of its own in a new program."""

from tests.refresh.test_early import *  # noqa: F403

del test_a_process_that_ends_during_an_early_refresh_ends_it  # noqa: F821
