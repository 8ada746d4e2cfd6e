"""MongoDB and a loopback Zoho on this machine, for tests and demos: no account, network or Docker.

Both run as child processes on loopback addresses, and end with the process that started them::

    from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

    with LocalMongo() as mongo, LoopbackZoho() as zoho:
        store = MongoTokenStore(mongo.uri)
        token = OAuthToken(zoho.client_id, zoho.client_secret, grant_token=zoho.grant())
        Initializer.initialize(environment=zoho.environment(), token=token, store=store)

:mod:`zoho_mongo_store.testing.plugin` provides both as pytest fixtures.

They need the extra ``testing``: ``pip install 'zoho-mongo-store[testing]'``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoho_mongo_store.testing.fresh_sdk import fresh_sdk
    from zoho_mongo_store.testing.local_mongo import LocalMongo
    from zoho_mongo_store.testing.member import Member
    from zoho_mongo_store.testing.mock_store import mock_store
    from zoho_mongo_store.testing.mongod_program import MongodUnavailableError
    from zoho_mongo_store.testing.zoho.loopback import LoopbackZoho
    from zoho_mongo_store.testing.zoho.protocol import Request, digest

__all__ = [
    "LocalMongo",
    "LoopbackZoho",
    "Member",
    "MongodUnavailableError",
    "Request",
    "digest",
    "fresh_sdk",
    "mock_store",
]

# pymongo and the SDK take a second to import. A test run that uses neither should not wait for it.
_HOMES = {
    "LocalMongo": "local_mongo",
    "LoopbackZoho": "zoho.loopback",
    "Member": "member",
    "MongodUnavailableError": "mongod_program",
    "Request": "zoho.protocol",
    "digest": "zoho.protocol",
    "fresh_sdk": "fresh_sdk",
    "mock_store": "mock_store",
}

if not TYPE_CHECKING:
    # With it, a type checker would accept any name.
    def __getattr__(name: str) -> object:
        """Import a public name when it is first used."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
