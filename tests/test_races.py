"""Many processes that save the same tokens at once."""

from typing import Any

import pytest

from tests.engines import SERVERS, Engine
from tests.processes import in_processes
from tests.tokens import CLIENT, make_token
from zoho_mongo_store import MongoTokenStore

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

# Each kind of key that a new token can be looked up by.
NEW_TOKENS = {
    "user name": {"user_name": "ada@example.com:1", "refresh_token": "R", **CLIENT},
    "refresh token": {"refresh_token": "R", **CLIENT},
    "grant token": {"grant_token": "G", "refresh_token": "R", **CLIENT},
    "access token": {"access_token": "A"},
    "id": {"id": "seven", "access_token": "A"},
}


def save(uri: str, database: str, fields: dict[str, Any]) -> str | None:
    with MongoTokenStore(uri, database=database) as store:
        token = make_token(**fields)
        store.save_token(token)
        return token.get_id()


@pytest.mark.parametrize("key", NEW_TOKENS)
def test_one_document_whoever_wins(engine: Engine, database: str, key: str) -> None:
    ids = in_processes(save, [(engine.uri, database, NEW_TOKENS[key])] * 32)

    assert len(set(ids)) == 1
    assert engine.client[database].oauthtoken.count_documents({}) == 1
