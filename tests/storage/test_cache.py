"""``CachePolicy(max_age=...)``: what is found without a command, and what never is."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import PATIENCE, StoreMaker
from tests.encryption.keys import new_key, settings
from tests.engines import SERVERS, Engine
from tests.sent_commands import Commands, listening
from tests.tokens import CLIENT, contents, make_token
from tests.waiting import eventually
from zoho_mongo_store import CachePolicy, MongoTokenStore, RefreshPolicy
from zoho_mongo_store.encryption.cipher import Cipher
from zoho_mongo_store.sdk import OAuthToken

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

HOUR = timedelta(hours=1)
LOOK_UPS: list[dict[str, Any]] = [
    {"id": "7"},
    {"user_name": "ada"},
    {"access_token": "A"},
    {"grant_token": "G", **CLIENT},
    {"refresh_token": "R", **CLIENT},
]


def lasting(left: float = 3600, **changes: Any) -> OAuthToken:
    """Ada's token, good for that many seconds."""
    moment = datetime.now(UTC) + timedelta(seconds=left)
    return make_token(
        **{
            "id": "7",
            "user_name": "ada",
            "access_token": "A",
            "grant_token": "G",
            "refresh_token": "R",
            **CLIENT,
            "expires_in": str(int(moment.timestamp() * 1000)),
            **changes,
        }
    )


def access_token(store: MongoTokenStore, **look_up: Any) -> str | None:
    """The access token that a look-up leads to."""
    found = store.find_token(make_token(**look_up or {"id": "7"}))
    return None if found is None else str(found.get_access_token())


@pytest.fixture
def other(make_store: StoreMaker) -> MongoTokenStore:
    """The store of another process, with a token in it."""
    store = make_store()
    store.save_token(lasting())
    return store


Caching = Callable[..., tuple[MongoTokenStore, Commands]]


@pytest.fixture
def caching(engine: Engine, database: str, other: MongoTokenStore) -> Iterator[Caching]:
    """Makes stores with a cache whose commands are counted from the first find on."""
    assert access_token(other) == "A"
    with listening(engine.uri) as (client, commands):

        def make(
            *, max_age: timedelta = HOUR, max_tokens: int = 10, **options: Any
        ) -> tuple[MongoTokenStore, Commands]:
            cache = CachePolicy(max_age=max_age, max_tokens=max_tokens)
            store = MongoTokenStore(
                client=client, database=database, timeout=PATIENCE, cache=cache, **options
            )
            access_token(store, user_name="nobody")
            commands.clear()
            return store, commands

        yield make


@pytest.mark.parametrize("look_up", LOOK_UPS, ids=lambda one: next(iter(one)))
def test_a_find_sends_nothing(caching: Caching, look_up: dict[str, Any]) -> None:
    store, commands = caching()
    first = contents(store.find_token(make_token(**look_up)))
    commands.clear()

    assert contents(store.find_token(make_token(**look_up))) == first
    # One entry for one token, whichever look-up led to it.
    assert access_token(store, id="7") == "A"
    assert access_token(store, user_name="ada") == "A"
    assert contents(store.find_token_by_id("7")) == first
    assert commands.names == []


def test_with_encryption_a_find_sends_and_decrypts_nothing(
    caching: Caching, database: str, other: MongoTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.delete_tokens()
    store, commands = caching(encryption=settings(database, new_key()))
    store.save_token(lasting())
    assert access_token(store) == "A"
    commands.clear()

    monkeypatch.setattr(Cipher, "decrypt", None)
    assert access_token(store) == "A"
    assert commands.names == []


def test_nothing_older_than_max_age_is_used(caching: Caching, other: MongoTokenStore) -> None:
    max_age = timedelta(seconds=1)
    store, _ = caching(max_age=max_age)
    assert access_token(store) == "A"
    found_at = time.monotonic()
    other.save_token(make_token(id="7", access_token="B"))

    begun: list[float] = []

    def is_seen() -> bool:
        begun.append(time.monotonic())
        return access_token(store) == "B"

    assert eventually(is_seen)
    # The last that saw the new one is not counted.
    assert all(one < found_at + max_age.total_seconds() for one in begun[:-1])


def test_an_absence_is_not_held(caching: Caching, other: MongoTokenStore) -> None:
    store, _ = caching()
    assert access_token(store, user_name="bob") is None
    other.save_token(make_token(id="8", user_name="bob", access_token="B"))
    assert access_token(store, user_name="bob") == "B"


def test_a_token_that_is_gone_is_forgotten(caching: Caching, other: MongoTokenStore) -> None:
    store, commands = caching(max_age=timedelta(seconds=0.2))
    assert access_token(store) == "A"
    other.delete_token("7")
    time.sleep(0.3)
    assert access_token(store, user_name="ada") is None
    commands.clear()
    assert access_token(store) is None
    assert commands.names == ["find"]


@pytest.mark.parametrize(("left", "sends"), [(50, ["find"]), (300, [])])
def test_a_token_within_ahead_of_its_expiry_is_not_held(
    caching: Caching, other: MongoTokenStore, left: float, sends: list[str]
) -> None:
    # Without a refresh token nothing is refreshed, and no lease is sent for.
    other.delete_tokens()
    other.save_token(lasting(left, refresh_token=None, grant_token=None))
    store, commands = caching(refresh=RefreshPolicy(ahead=timedelta(seconds=60)))
    assert access_token(store) == "A"
    commands.clear()
    assert access_token(store) == "A"
    assert commands.names == sends


def test_own_changes_are_seen_at_once(caching: Caching) -> None:
    store, commands = caching()
    assert access_token(store) == "A"
    store.save_token(lasting(access_token="B"))
    commands.clear()
    assert access_token(store) == "B"
    assert commands.names == []

    assert store.expire_access_token("7")
    expired = store.find_token(make_token(id="7"))
    assert int(contents(expired)["expires_in"]) <= time.time() * 1000

    store.save_token(lasting(access_token="C"))
    assert access_token(store) == "C"
    store.delete_token("7")
    assert access_token(store) is None

    store.save_token(lasting(access_token="D"))
    assert access_token(store) == "D"
    store.delete_tokens()
    assert access_token(store) is None


def test_a_name_that_moves_leads_to_its_new_token(caching: Caching) -> None:
    store, _ = caching()
    assert access_token(store, user_name="ada") == "A"
    store.save_token(make_token(id="8", access_token="B"))
    store.save_token(make_token(id="8", user_name="ada"))
    assert access_token(store, user_name="ada") == "B"
    assert access_token(store, id="7") == "A"
    assert "user_name" not in contents(store.find_token_by_id("7"))


def test_a_credential_that_is_replaced_leads_nowhere(caching: Caching) -> None:
    store, _ = caching()
    assert access_token(store, access_token="A") == "A"
    store.save_token(lasting(access_token="B"))
    assert access_token(store, access_token="A") is None
    assert access_token(store, access_token="B") == "B"


def test_the_least_recently_used_goes_first(caching: Caching, other: MongoTokenStore) -> None:
    for id in ("8", "9"):
        other.save_token(make_token(id=id, access_token=f"token {id}"))
    store, commands = caching(max_tokens=2)
    for id in ("7", "8", "7", "9"):
        access_token(store, id=id)
    commands.clear()

    assert access_token(store, id="7") == "A"
    assert access_token(store, id="9") == "token 9"
    assert commands.names == []
    assert access_token(store, id="8") == "token 8"
    assert commands.names == ["find"]


def test_a_refresh_reads_the_primary(caching: Caching, other: MongoTokenStore) -> None:
    """Another process has refreshed: what this one holds is due, and is not refreshed again."""
    store, _ = caching()
    token = store.find_token(make_token(id="7"))
    assert token is not None
    other.save_token(lasting(access_token="B"))
    token.refresh_access_token(token, "http://127.0.0.1:1/oauth/v2/token")
    assert token.get_access_token() == "B"
    assert access_token(store) == "B"
