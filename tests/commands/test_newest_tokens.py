"""The documents that were saved last, kept up to date by what changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson.codec_options import CodecOptions
from pymongo.collection import Collection

from tests.engines import SERVERS, Engine
from zoho_mongo_store.commands.newest_tokens import NewestTokens

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

Tokens = Collection[dict[str, Any]]
BEGIN = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def tokens(engine: Engine, database: str) -> Tokens:
    """Five documents, of which the fifth was saved last."""
    options: Any = CodecOptions(tz_aware=True)
    collection: Tokens = engine.client[database].get_collection("tokens", options)
    collection.insert_many(document(n) for n in range(1, 6))
    return collection


def document(number: int) -> dict[str, Any]:
    return {"_id": number, "updated_at": BEGIN + timedelta(minutes=number)}


def save(tokens: Tokens, id: int, minutes: int) -> None:
    moment = BEGIN + timedelta(minutes=minutes)
    tokens.update_one({"_id": id}, {"$set": {"updated_at": moment}}, upsert=True)


def ids(documents: list[dict[str, Any]]) -> list[int]:
    return [document["_id"] for document in documents]


def test_what_is_saved_moves_up(tokens: Tokens) -> None:
    newest = NewestTokens(tokens, 3)
    assert ids(newest.read(None)) == [5, 4, 3]
    save(tokens, 1, 10)
    save(tokens, 4, 11)
    save(tokens, 6, 12)
    assert ids(newest.read([1, 4, 1, 6])) == [6, 4, 1]


def test_what_it_is_not_told_of_it_does_not_read(tokens: Tokens) -> None:
    newest = NewestTokens(tokens, 3)
    newest.read(None)
    save(tokens, 1, 10)
    assert ids(newest.read([])) == [5, 4, 3]
    save(tokens, 2, 11)
    assert ids(newest.read([2])) == [2, 5, 4]
    assert ids(newest.read(None)) == [2, 1, 5]


def test_older_ones_take_the_place_of_what_is_deleted(tokens: Tokens) -> None:
    newest = NewestTokens(tokens, 3)
    newest.read(None)
    tokens.delete_many({"_id": {"$in": [5, 4, 1]}})
    assert ids(newest.read([5, 4, 1])) == [3, 2]
    tokens.delete_one({"_id": 2})
    assert ids(newest.read([2])) == [3]
    for n in range(6, 9):
        save(tokens, n, n)
    assert ids(newest.read([6, 7, 8])) == [8, 7, 6]
    tokens.delete_one({"_id": 8})
    assert ids(newest.read([8])) == [7, 6, 3]


def test_a_document_without_a_date_comes_last(tokens: Tokens) -> None:
    tokens.insert_one({"_id": 0})
    newest = NewestTokens(tokens, 9)
    assert ids(newest.read(None)) == [5, 4, 3, 2, 1, 0]
    save(tokens, 1, 10)
    assert ids(newest.read([1])) == [1, 5, 4, 3, 2, 0]
