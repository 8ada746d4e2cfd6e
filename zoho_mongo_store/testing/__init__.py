"""A MongoDB and a Zoho on this machine, for demos and for tests: no account, no network, no Docker.

Both run as child processes on loopback addresses and end with the process that started them::

    from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

    with LocalMongo() as mongo, LoopbackZoho() as zoho:
        store = MongoTokenStore(mongo.uri)
        token = OAuthToken(zoho.client_id, zoho.client_secret, grant_token=zoho.grant())
        Initializer.initialize(environment=zoho.environment(), token=token, store=store)

They need the extra ``testing``: ``pip install 'zoho-mongo-store[testing]'``.
"""

from zoho_mongo_store.testing.local_mongo import LocalMongo
from zoho_mongo_store.testing.member import Member
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
]
