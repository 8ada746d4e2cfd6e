"""A store without a MongoDB."""

import sys
from datetime import timedelta

import pytest

from tests.tokens import make_token
from zoho_mongo_store import RefreshPolicy
from zoho_mongo_store.testing import mock_store


def test_keeps_tokens_of_its_own() -> None:
    with mock_store() as store, mock_store() as other:
        token = make_token(user_name="ada@example.com:10001", access_token="1000.a")
        store.save_token(token)

        found = store.find_token_by_id(str(token.get_id()))
        assert found is not None
        assert found.get_access_token() == "1000.a"
        assert other.get_tokens() == []


def test_takes_the_options_of_a_store() -> None:
    with mock_store(
        collection="tokens", refresh=RefreshPolicy(lease=timedelta(seconds=30))
    ) as store:
        assert store.collection.name == "tokens"


def test_without_mongomock_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mongomock", None)

    with pytest.raises(ImportError, match=r"pip install 'zoho-mongo-store\[testing\]'"):
        mock_store()
