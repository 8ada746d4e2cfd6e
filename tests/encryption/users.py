"""Many users, whose tokens are saved and found while a collection is moved."""

import time
from collections.abc import Iterable
from typing import Any

from tests.tokens import CLIENT, contents, make_token
from zoho_mongo_store import FieldEncryption, MongoTokenStore


def fields_of(number: int) -> dict[str, Any]:
    """The fields of a user's token."""
    return {
        "user_name": f"user{number}",
        "refresh_token": f"refresh{number}",
        "access_token": f"access{number}",
        "grant_token": f"grant{number}",
        **CLIENT,
    }


def save_users(store: MongoTokenStore, number: int) -> list[str | None]:
    """Save so many users' tokens; their ids."""
    tokens = [make_token(**fields_of(n)) for n in range(number)]
    for token in tokens:
        store.save_token(token)
    return [token.get_id() for token in tokens]


def check_all_found(store: MongoTokenStore, number: int) -> None:
    """Each is found by each of its credentials."""
    for n in range(number):
        fields = fields_of(n)
        for known in ("refresh_token", "grant_token"):
            assert_found(store, {known: fields[known], **CLIENT}, fields)
        assert_found(store, {"access_token": fields["access_token"]}, fields)
    assert len(store.get_tokens()) == number


def assert_found(store: MongoTokenStore, known: dict[str, Any], fields: dict[str, Any]) -> str:
    """The token is found by what is known of it, and has these fields; its id."""
    token = make_token(**known)
    assert store.find_token(token) is token, f"not found by {list(known)}"
    found = contents(token)
    id: str = found.pop("id")
    assert found == fields
    return id


def save_and_find(
    uri: str,
    database: str,
    encryption: FieldEncryption,
    worker: int,
    users: int,
    turns: Iterable[int],
    pause: float = 0,
) -> dict[str, tuple[str, str]]:
    """Find and save tokens in turns, of users of the worker's own: some stored, one new each turn.

    Returns the id and the last access token of each user.
    """
    mine = [number for number in range(users) if number % 4 == worker]
    written: dict[str, tuple[str, str]] = {}
    # A rotation counts on no longer time-out, unless it is told of one.
    with MongoTokenStore(uri, database=database, encryption=encryption, timeout=15) as store:
        for turn in turns:
            time.sleep(pause)
            number = mine[turn % len(mine)]
            fields = fields_of(number)
            if fields["user_name"] in written:
                fields["access_token"] = written[fields["user_name"]][1]
            known = ({"refresh_token": fields["refresh_token"], **CLIENT}, fields["access_token"])
            id = assert_found(store, known[0], fields)
            assert assert_found(store, {"access_token": known[1]}, fields) == id
            renewed = f"renewed {turn} by {worker}"
            # Without the name: the document has to be found by its refresh token.
            token = make_token(
                refresh_token=fields["refresh_token"], access_token=renewed, **CLIENT
            )
            store.save_token(token)
            assert token.get_id() == id
            written[fields["user_name"]] = (id, renewed)
            new = fields_of(1000 * (worker + 1) + turn)
            token = make_token(**new)
            store.save_token(token)
            written[new["user_name"]] = (str(token.get_id()), new["access_token"])
    return written
