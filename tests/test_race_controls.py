"""The controls of the races: without its unique index each of them fails, so a race is one."""

from typing import Any

import pytest

from tests import test_races as races
from tests.engines import SERVERS, Engine
from tests.sdk.stored import Documents
from zoho_mongo_store.storage.token_indexes import TOKEN_INDEXES

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

documents = races.documents
# One round in which nobody meets anybody proves nothing.
ROUNDS = 10


@pytest.fixture
def unguarded(request: pytest.FixtureRequest, engine: Engine, database: str) -> dict[str, Any]:
    """The options of stores on a collection with all indexes, of which one is not unique."""
    collection = engine.client[database].oauthtoken
    for index in TOKEN_INDEXES:
        options = dict(index.options)
        if index.field == request.param:
            del options["unique"]
        collection.create_index(index.field, **options)
    return {"uri": engine.uri, "database": database, "timeout": 30, "create_indexes": False}


@pytest.mark.parametrize("unguarded", ["id"], indirect=True)
def test_without_a_unique_id(
    engine: Engine, database: str, unguarded: dict[str, Any], documents: Documents
) -> None:
    def race_often() -> None:
        for _ in range(ROUNDS):
            engine.client[database].oauthtoken.delete_many({})
            races.test_one_document_where_two_tokens_share_one_credential(
                unguarded, documents, "refresh token", turns=200
            )

    with pytest.raises(AssertionError):
        race_often()
    ids = [document["id"] for document in documents()]
    assert len(ids) > len(set(ids))


@pytest.mark.parametrize("unguarded", ["user_name"], indirect=True)
def test_without_a_unique_user_name(
    engine: Engine, database: str, unguarded: dict[str, Any], documents: Documents
) -> None:
    def race_often() -> None:
        for _ in range(ROUNDS):
            engine.client[database].oauthtoken.delete_many({})
            races.test_a_user_name_that_many_take_over_ends_with_one(unguarded, documents)

    with pytest.raises(AssertionError):
        race_often()
    names = [document["user_name"] for document in documents() if "user_name" in document]
    assert len(names) > len(set(names))
