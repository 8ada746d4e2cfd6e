"""The errors that an application tells apart, also when they come from another process."""

import pickle
from datetime import timedelta

import pytest

from zoho_mongo_store import LoginRequiredError, RefreshPausedError
from zoho_mongo_store.sdk import SDKException

ERRORS: list[SDKException] = [
    LoginRequiredError("CODE", "why"),
    RefreshPausedError("CODE", "why", timedelta(seconds=3)),
]


@pytest.mark.parametrize("error", ERRORS, ids=["login required", "paused"])
def test_the_errors_cross_processes(error: SDKException) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - dumped right here

    assert type(again) is type(error)
    assert str(again) == str(error) == "Caused By: CODE - why"
    assert vars(again) == vars(error)
