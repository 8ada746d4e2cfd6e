"""Three members, and a primary that is killed, hangs or cannot be reached: no find fails."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.encryption.keys import KEY_VAULT, new_key, settings
from tests.failures import fails
from tests.faults.documents import documents, login
from tests.faults.three_members import (
    QUICK_ELECTIONS,
    allow_elections,
    behind_proxies,
    lose_primary,
    make_whole,
    wait_for_another_primary,
)
from tests.sent_commands import Client, listening
from tests.tokens import contents, make_token
from tests.waiting import eventually, once_it_works
from zoho_mongo_store import MongoTokenStore, TokenEvent
from zoho_mongo_store.encryption import encryptor
from zoho_mongo_store.encryption.library import open_library
from zoho_mongo_store.sdk import OAuthToken
from zoho_mongo_store.testing import LocalMongo

TIMEOUT = 3.0
AWAY = "failed: MongoDB cannot be reached"
# The promise is at once; a busy machine gets time.
AT_ONCE = 1.0


@pytest.fixture(scope="module")
def running() -> Iterator[LocalMongo]:
    with LocalMongo(members=3, replica_set_settings=QUICK_ELECTIONS) as mongo:
        with MongoTokenStore(mongo.uri, timeout=60) as store:
            store.ensure_indexes()
        yield mongo


@pytest.fixture
def three(running: LocalMongo) -> Iterator[LocalMongo]:
    """Three members, whole again after the test, with Ada's token and no other."""
    with MongoTokenStore(running.uri, timeout=60) as store:
        store.delete_tokens()
        store.save_token(make_token(**login("ada", 1), id="7"))
    reach_all(running)
    yield running
    make_whole(running)


def reach_all(mongo: LocalMongo) -> None:
    """Wait until each member has what is stored."""
    for member in mongo.members:
        with Client(member.uri) as client:
            tokens = client.zohooauth.oauthtoken
            assert eventually(lambda: tokens.count_documents({}) == 1)  # noqa: B023


def ada(store: MongoTokenStore) -> OAuthToken | None:
    return store.find_token(make_token(user_name="ada"))


def took(started: float) -> float:
    return time.monotonic() - started


losses = pytest.mark.parametrize("how", ["killed", "stopped"])


@losses
def test_a_secondary_answers(three: LocalMongo, how: str) -> None:
    """After a part of the time-out at most, and at once from then on."""
    with MongoTokenStore(three.uri, timeout=TIMEOUT) as store:
        expected = contents(ada(store))
        lose_primary(three, how)

        started = time.monotonic()
        assert contents(ada(store)) == expected
        assert took(started) < TIMEOUT

        started = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: contents(ada(store)), range(200)))
        assert found == [expected] * 200
        # Far from 200 waits.
        assert took(started) < 10 * TIMEOUT
        assert contents(store.find_token_by_id("7")) == expected
        store.ping()


@losses
def test_a_new_process_finds_without_a_primary(three: LocalMongo, how: str) -> None:
    """It cannot create indexes yet, and does so later."""
    with Client(three.uri) as client:
        client.zohooauth.oauthtoken.drop_index("grant_token_1")
    lose_primary(three, how)
    with MongoTokenStore(three.uri, timeout=TIMEOUT) as store:
        assert contents(ada(store))["id"] == "7"
        allow_elections(three)
        old = next(one for one in three.members if not one.running or how == "stopped")
        if how == "stopped":
            old = next(one for one in three.members if one.hello() is None)
        wait_for_another_primary(three, old)
        once_it_works(lambda: store.save_token(make_token(**login("ada", 2), id="7")))
    with Client(three.uri) as client:
        assert "grant_token_1" in client.zohooauth.oauthtoken.index_information()


@losses
@pytest.mark.parametrize("preference", ["primary", "secondary", "secondaryPreferred", "nearest"])
def test_an_absence_is_believed_from_a_primary_alone(
    three: LocalMongo, how: str, preference: str
) -> None:
    uri = f"{three.uri}&readPreference={preference}"
    with MongoTokenStore(uri, timeout=TIMEOUT) as store:
        assert store.find_token_by_id("unknown") is None
        lose_primary(three, how)

        started = time.monotonic()
        with fails(f"find_token_by_id {AWAY}.*a secondary has no such document"):
            store.find_token_by_id("unknown")
        assert took(started) >= 0.9 * TIMEOUT
        assert contents(store.find_token_by_id("7"))["id"] == "7"


def test_an_absence_waits_for_the_new_primary(three: LocalMongo) -> None:
    with MongoTokenStore(three.uri, timeout=60) as store, ThreadPoolExecutor(1) as pool:
        ada(store)
        lose_primary(three, "killed")
        looking = pool.submit(store.find_token_by_id, "unknown")
        assert contents(ada(store))["id"] == "7"
        allow_elections(three)
        assert looking.result(60) is None


@pytest.mark.parametrize("preference", ["primary", "secondary", "nearest"])
def test_a_miss_is_looked_up_once_more_where_secondaries_are_read(
    three: LocalMongo, preference: str
) -> None:
    uri = f"{three.uri}&readPreference={preference}"
    with listening(uri) as (client, commands):
        store = MongoTokenStore(client=client, timeout=TIMEOUT, create_indexes=False)
        assert contents(once_it_works(lambda: ada(store)))["id"] == "7"
        commands.clear()
        assert contents(store.find_token_by_id("7"))["id"] == "7"
        assert commands.names == ["find"]
        commands.clear()
        assert store.find_token_by_id("unknown") is None
        assert commands.names == ["find"] * (1 if preference == "primary" else 2)
        store.close()


@losses
def test_a_save_is_kept_seen_and_written(three: LocalMongo, how: str) -> None:
    told: list[TokenEvent] = []
    with MongoTokenStore(three.uri, timeout=TIMEOUT, on_event=told.append) as store:
        ada(store)
        old = three.wait_for_primary()
        lose_primary(three, how)
        with fails(f"save_token {AWAY}"):
            store.save_token(make_token(**login("ada", 2), id="7"))
        started = time.monotonic()
        for number in range(20):
            with fails(f"save_token {AWAY}"):
                store.save_token(make_token(**login(f"user-{number}", 1)))
        assert took(started) < TIMEOUT

        assert contents(ada(store)) == {**login("ada", 2), "id": "7"}
        assert contents(store.find_token_by_id("7")) == {**login("ada", 2), "id": "7"}
        # Of a login that is kept the id is not known yet.
        new = store.find_token(make_token(user_name="user-3"))
        assert contents(new) == login("user-3", 1)

        allow_elections(three)
        wait_for_another_primary(three, old)
        assert eventually(lambda: len(documents(three.uri)) == 21)
        assert eventually(lambda: [event.name for event in told].count("outage_ended") == 1)
        assert contents(store.find_token(make_token(user_name="user-3")))["id"]

    names = [event.name for event in told]
    assert names[0] == "outage_began"
    assert names.count("save_kept") == names.count("save_written") == 21


@pytest.mark.parametrize("cut", ["both ways", "to it", "from it"])
def test_a_primary_that_is_cut_off(three: LocalMongo, cut: str) -> None:
    with behind_proxies(three) as (uri, proxies), MongoTokenStore(uri, timeout=TIMEOUT) as store:
        assert contents(ada(store))["id"] == "7"
        old = three.wait_for_primary()
        proxy = proxies[old.address]
        if cut != "from it":
            proxy.deaf.set()
        if cut != "to it":
            proxy.mute.set()

        started = time.monotonic()
        for _ in range(20):
            assert contents(ada(store))["id"] == "7"
        assert took(started) < 3 * TIMEOUT
        if cut == "to it":
            # What it streams goes on, so the others may keep it as their primary: no other is due.
            proxy.deaf.clear()
        else:
            wait_for_another_primary(three, old)
        once_it_works(lambda: store.save_token(make_token(**login("ada", 2), id="7")))
        assert contents(ada(store)) == {**login("ada", 2), "id": "7"}


@losses
def test_a_secondary_away_too(three: LocalMongo, how: str) -> None:
    """No majority: the member that is left answers finds, and saves are kept."""
    with MongoTokenStore(three.uri, timeout=TIMEOUT) as store:
        ada(store)
        secondary, primary = three.secondaries[0], three.primary
        for member in (secondary, primary):
            member.kill() if how == "killed" else member.stop()
        for _ in range(20):
            assert contents(ada(store))["id"] == "7"
        with fails(f"save_token {AWAY}"):
            store.save_token(make_token(**login("bob", 1)))
        assert contents(store.find_token(make_token(user_name="bob"))) == login("bob", 1)
        store.ping()

        make_whole(three)
        assert eventually(lambda: len(documents(three.uri)) == 2)


@losses
def test_all_three_away(three: LocalMongo, how: str) -> None:
    """The time-out once, and at once from then on."""
    with MongoTokenStore(three.uri, timeout=TIMEOUT) as store:
        ada(store)
        for member in three.members:
            member.kill() if how == "killed" else member.stop()
        started = time.monotonic()
        with fails(f"find_token_by_id {AWAY}"):
            store.find_token_by_id("7")
        assert took(started) < TIMEOUT + 2.5

        started = time.monotonic()
        for _ in range(20):
            with fails(f"find_token_by_id {AWAY}"):
                store.find_token_by_id("7")
            with fails(f"save_token {AWAY}"):
                store.save_token(make_token(**login("ada", 2), id="7"))
            # What it has yet to write it knows.
            assert contents(store.find_token_by_id("7"))["access_token"] == "access-ada-2"
            store._tokens._pending.forget()
        assert took(started) < 2 * TIMEOUT
        with fails(f"ping {AWAY}"):
            store.ping()

        make_whole(three)
        assert contents(once_it_works(lambda: store.find_token_by_id("7")))["id"] == "7"


def test_other_members_answer_while_one_secondary_hangs(three: LocalMongo) -> None:
    with MongoTokenStore(f"{three.uri}&readPreference=secondary", timeout=TIMEOUT) as store:
        assert contents(ada(store))["id"] == "7"
        three.secondaries[0].stop()
        for _ in range(10):
            assert contents(ada(store))["id"] == "7"


def test_an_outage_is_logged_once(three: LocalMongo, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "zoho_mongo_store")
    with MongoTokenStore(three.uri, timeout=TIMEOUT) as store:
        ada(store)
        lose_primary(three, "stopped")
        for _ in range(10):
            ada(store)
        make_whole(three)
        allow_elections(three)
        assert eventually(lambda: "answers again, after" in caplog.text)

    assert len([one for one in caplog.messages if "does not answer" in one]) == 1
    assert len([one for one in caplog.messages if "answers again, after" in one]) == 1


@losses
def test_a_secondary_answers_with_encryption(
    three: LocalMongo, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also once the list of data keys is due to be read again, and, where there is no primary at
    all, once the library has forgotten the keys."""
    encryption = settings("zohooauth", new_key())
    with MongoTokenStore(three.uri, timeout=TIMEOUT, encryption=encryption) as store:
        store.delete_tokens()
        store.save_token(make_token(**login("ada", 1), id="7"))
        reach_all(three)
        lose_primary(three, how)
        monkeypatch.setattr(encryptor, "REREAD_SECONDS", 0.0)
        cipher = store._tokens._encryptor._cipher  # type: ignore[union-attr]
        assert cipher is not None
        if how == "killed":
            cipher._library.close()
            client = cipher.vault._collection.database.client
            cipher._library = open_library(encryption, client)
        for _ in range(3):
            assert contents(ada(store)) == {**login("ada", 1), "id": "7"}
    make_whole(three)
    with Client(three.uri) as client:
        client.zohooauth[KEY_VAULT].drop()
