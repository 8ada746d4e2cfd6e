"""The same callback at many instances of an application, in processes of their own."""

import pytest

from tests.engines import SERVERS, Engine
from tests.login.conftest import ADA, NAMES, Site
from tests.processes import in_processes
from tests.sdk.version import FINDS_USER
from zoho_mongo_store import CallbackError, MongoTokenStore

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

INSTANCES = 6


def complete(
    site: Site, uri: str, database: str, resource_path: str, callback: dict[str, str], state: str
) -> str | None:
    """The id of who logs in, in a process of its own."""
    with MongoTokenStore(uri, database=database, timeout=30) as store:
        login = site.login()
        login.initialize(store, resource_path=resource_path)
        try:
            user = login.complete({**callback, "state": state}, state)
        except CallbackError:
            return None
        assert user.name == NAMES[ADA]
        return user.id


def test_one_callback_is_exchanged_once(
    site: Site, engine: Engine, database: str, resource_path: str
) -> None:
    callback = site.callback("s3cret")
    arguments = (site, engine.uri, database, resource_path, callback, "s3cret")

    ids = in_processes(complete, [arguments] * INSTANCES)

    (document,) = engine.client[database].oauthtoken.find()
    assert ids == [document["id"]] * INSTANCES
    assert site.exchanges() == (1, 0)
    if FINDS_USER:
        assert (site.us.count("users"), site.us.count("org")) == (1, 1)


def test_one_grant_token_logs_one_of_many_sessions_in(
    site: Site, engine: Engine, database: str, resource_path: str
) -> None:
    callback = site.callback("0")
    arguments = (site, engine.uri, database, resource_path, callback)

    ids = in_processes(complete, [(*arguments, str(number)) for number in range(INSTANCES)])

    assert len([id for id in ids if id]) == 1
    assert site.exchanges() == (1, 0)
