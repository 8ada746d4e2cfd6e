"""A callback completed: who logged in, what is stored, and what is refused."""

from datetime import timedelta

import pytest

from tests.conftest import StoreMaker
from tests.engines import Engine
from tests.login.conftest import ADA, GRACE, NAMES, Site
from tests.refresh.callers import wait_until
from tests.sdk.version import FINDS_USER
from zoho_mongo_store import (
    CallbackError,
    LoginRequiredError,
    MongoTokenStore,
    RefreshPolicy,
    ZohoLogin,
    ZohoUser,
)
from zoho_mongo_store.login import AccessDeniedError, InvalidStateError, UnknownDataCenterError
from zoho_mongo_store.sdk import Initializer
from zoho_mongo_store.storage.lease_collection import lease_collection
from zoho_mongo_store.testing import fresh_sdk


@pytest.mark.parametrize("user", [ADA, GRACE])
def test_logs_a_user_in(login: ZohoLogin, store: MongoTokenStore, site: Site, user: str) -> None:
    logged_in = login.complete(site.callback("s3cret", user), "s3cret")

    (document,) = store.collection.find()
    assert logged_in == ZohoUser(NAMES[user], document["id"])
    assert document["user_name"] == NAMES[user]
    assert document["refresh_token"]
    assert document["api_domain"] == (site.us if user == ADA else site.eu).url
    assert site.exchanges() == ((1, 0) if user == ADA else (0, 1))


def test_the_same_callback_again_is_the_same_login(login: ZohoLogin, site: Site) -> None:
    callback = site.callback("s3cret")

    users = {login.complete(callback, "s3cret") for _ in range(3)}

    assert len(users) == 1
    assert site.exchanges() == (1, 0)


def test_a_used_callback_is_of_no_use_to_anybody_else(login: ZohoLogin, site: Site) -> None:
    callback = site.callback("of the victim")
    login.complete(callback, "of the victim")

    with pytest.raises(CallbackError, match="another login") as refused:
        login.complete({**callback, "state": "of the thief"}, "of the thief")
    assert callback["code"] not in str(refused.value)
    assert site.exchanges() == (1, 0)


def test_a_claim_that_is_gone_lets_nobody_in(
    login: ZohoLogin, store: MongoTokenStore, site: Site
) -> None:
    callback = site.callback("s3cret")
    login.complete(callback, "s3cret")
    lease_collection(store.collection).delete_many({})

    for state in ("s3cret", "of the thief"):
        with pytest.raises(CallbackError, match="another login"):
            login.complete({**callback, "state": state}, state)
    assert site.exchanges() == (1, 0)


def test_stores_no_state(login: ZohoLogin, store: MongoTokenStore, site: Site) -> None:
    callback = site.callback("s3cret")
    login.complete(callback, "s3cret")

    leases = list(lease_collection(store.collection).find())
    assert leases
    assert "s3cret" not in str(leases)
    assert callback["code"] not in str(leases)
    assert all("purge_at" in lease for lease in leases)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"state": "forged"}, InvalidStateError),
        ({"accounts-server": "http://127.0.0.1:9"}, UnknownDataCenterError),
        ({"location": "in"}, UnknownDataCenterError),
        ({"code": ""}, CallbackError),
    ],
)
def test_refuses_a_forged_callback_before_anything_is_sent(
    login: ZohoLogin,
    store: MongoTokenStore,
    site: Site,
    changes: dict[str, str],
    error: type[CallbackError],
) -> None:
    callback = site.callback("s3cret")

    with pytest.raises(error):
        login.complete({**callback, **changes}, "s3cret")
    assert site.exchanges() == (0, 0)
    assert store.collection.count_documents({}) == 0

    # What was refused has cost the user nothing.
    assert login.complete(callback, "s3cret").name == NAMES[ADA]


def test_the_user_said_no(login: ZohoLogin, site: Site) -> None:
    address = site.us.reject(login.authorize_url("s3cret"))
    callback = dict(part.split("=") for part in address.partition("?")[2].split("&"))

    with pytest.raises(AccessDeniedError):
        login.complete(callback, "s3cret")
    assert site.exchanges() == (0, 0)


def test_an_invented_grant_token(login: ZohoLogin, store: MongoTokenStore, site: Site) -> None:
    with pytest.raises(LoginRequiredError) as refused:
        login.complete({"code": "1000.invented", "state": "s3cret"}, "s3cret")

    assert "1000.invented" not in str(refused.value)
    assert site.us.client_secret not in str(refused.value)
    assert store.collection.count_documents({}) == 0


def test_a_user_whom_zoho_does_not_tell_is_not_stored(
    login: ZohoLogin, store: MongoTokenStore, site: Site
) -> None:
    site.us.refuse_with("OAUTH_SCOPE_MISMATCH")

    with pytest.raises(CallbackError, match="does not say who"):
        login.complete(site.callback("s3cret"), "s3cret")
    assert store.collection.count_documents({}) == 0


def test_a_second_login_replaces_the_first(
    login: ZohoLogin, store: MongoTokenStore, site: Site
) -> None:
    first = login.complete(site.callback("one"), "one")
    (before,) = store.collection.find()
    second = login.complete(site.callback("two"), "two")

    named = store.collection.find_one({"user_name": NAMES[ADA]})
    assert named is not None
    assert named["refresh_token"] != before["refresh_token"]
    assert (first.name, second.name, second.id) == (NAMES[ADA], NAMES[ADA], named["id"])
    if FINDS_USER:
        assert first.id == second.id
        assert store.collection.count_documents({}) == 1


def test_leaves_nobody_behind(login: ZohoLogin, site: Site) -> None:
    before = Initializer.get_initializer()
    login.complete(site.callback("s3cret", GRACE), "s3cret")

    after = Initializer.get_initializer()
    assert after is before
    assert after is not None
    assert after.environment.url == site.us.url


def test_without_the_stores_refresh(
    site: Site, engine: Engine, database: str, resource_path: str
) -> None:
    with (
        fresh_sdk(),
        MongoTokenStore(client=engine.client, database=database, refresh=None) as store,
    ):
        site.login().initialize(store, resource_path=resource_path)
        assert [user.name for user in site.log_in(ADA, GRACE)] == [NAMES[ADA], NAMES[GRACE]]


def test_has_to_be_initialized(site: Site) -> None:
    with fresh_sdk(), pytest.raises(RuntimeError, match="initialize"):
        site.login().complete(site.callback("s3cret"), "s3cret")


def test_initializes_with_this_store_alone(site: Site) -> None:
    with pytest.raises(TypeError, match="MongoTokenStore, not str"):
        site.login().initialize("mongodb://localhost")  # type: ignore[arg-type]


def test_an_early_refresh_goes_to_the_users_data_center(
    login: ZohoLogin, make_store: StoreMaker, site: Site, resource_path: str
) -> None:
    site.eu.configure(lifetime=1200)
    store = make_store(refresh=RefreshPolicy(ahead=timedelta(minutes=30)))
    login.initialize(store, resource_path=resource_path)
    (user,) = site.log_in(GRACE)

    store.find_token_by_id(user.id)

    wait_until(lambda: site.eu.count("refresh") == 1)
    assert site.us.count("refresh") == 0
