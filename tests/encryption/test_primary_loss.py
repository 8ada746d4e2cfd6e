"""Encrypted tokens are found without a primary, also by a process that knows no data key."""

from collections.abc import Iterator
from functools import partial

import pymongo.encryption
import pytest

from tests.encryption.keys import new_key, settings
from tests.faults.three_members import QUICK_ELECTIONS, lose_primary, make_whole
from tests.sent_commands import Client
from tests.tokens import CLIENT, contents, full, make_token
from tests.waiting import eventually
from zoho_mongo_store import FieldEncryption, MongoTokenStore
from zoho_mongo_store.testing import LocalMongo

TIMEOUT = 4.0
losses = pytest.mark.parametrize("how", ["killed", "stopped"])


@pytest.fixture(scope="module")
def running() -> Iterator[LocalMongo]:
    with LocalMongo(members=3, replica_set_settings=QUICK_ELECTIONS) as mongo:
        yield mongo


@pytest.fixture(scope="module")
def encryption() -> FieldEncryption:
    return settings("zohooauth", new_key())


@pytest.fixture
def three(running: LocalMongo, encryption: FieldEncryption) -> Iterator[LocalMongo]:
    """Three members that all have one token and its data key; whole again after the test."""
    with MongoTokenStore(running.uri, timeout=60, encryption=encryption) as store:
        store.delete_tokens()
        store.save_token(full(id="7"))
    for member in running.members:
        with Client(member.uri) as client:
            tokens = client.zohooauth.oauthtoken
            assert eventually(lambda: tokens.count_documents({}) == 1)  # noqa: B023
    yield running
    make_whole(running)


def check(store: MongoTokenStore) -> None:
    """The token is found by what is plain, and by what is encrypted."""
    for look_up in ({"id": "7"}, {"refresh_token": "1000.refresh", **CLIENT}):
        found = contents(store.find_token(make_token(**look_up)))
        assert found == contents(full(id="7"))


@pytest.mark.skipif(pymongo.version_tuple < (4, 12), reason="key_expiration_ms is of pymongo 4.12")
@losses
def test_a_forgotten_data_key_is_read_from_a_secondary(
    three: LocalMongo, encryption: FieldEncryption, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # MongoDB's library forgets a data key after a minute, unless told otherwise.
    forgetful = partial(pymongo.encryption.ClientEncryption, key_expiration_ms=1)
    monkeypatch.setattr(pymongo.encryption, "ClientEncryption", forgetful)
    with MongoTokenStore(three.uri, timeout=TIMEOUT, encryption=encryption) as store:
        check(store)
        lose_primary(three, how)
        check(store)


@losses
def test_a_new_process_finds_without_a_primary(
    three: LocalMongo, encryption: FieldEncryption, how: str
) -> None:
    lose_primary(three, how)
    with MongoTokenStore(three.uri, timeout=TIMEOUT, encryption=encryption) as store:
        check(store)
