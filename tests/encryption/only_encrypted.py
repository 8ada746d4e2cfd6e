"""The check that the tests of other suites, taken over, do encrypt."""

from collections.abc import Iterator

import pytest

from tests.encryption.keys import forms
from tests.engines import Engine


@pytest.fixture(autouse=True)
def only_encrypted(engine: Engine, database: str) -> Iterator[None]:
    """Whatever a test leaves stored has all its secrets encrypted."""
    yield
    assert all(forms(one) <= {"encrypted"} for one in engine.client[database].oauthtoken.find())
