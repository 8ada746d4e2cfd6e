"""What a failing store raises."""

import pytest

from zoho_mongo_store.errors import TOKEN_STORE
from zoho_mongo_store.sdk import SDKException


def fails(match: str) -> "pytest.RaisesExc[SDKException]":
    """The block has to raise the SDK's exception of a failing store, with a text that matches."""
    return pytest.raises(SDKException, match=match, check=lambda error: error.code == TOKEN_STORE)
