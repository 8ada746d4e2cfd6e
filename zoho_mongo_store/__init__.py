"""The MongoDB token store for the Zoho CRM Python SDK."""

from zoho_mongo_store.store import MongoTokenStore
from zoho_mongo_store.version import __version__

__all__ = ["MongoTokenStore", "__version__"]
