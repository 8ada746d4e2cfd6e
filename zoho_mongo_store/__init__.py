"""The MongoDB token store for the Zoho CRM Python SDK."""

from zoho_mongo_store.refresh import RefreshPolicy, RefreshStats
from zoho_mongo_store.store import MongoTokenStore
from zoho_mongo_store.version import __version__

__all__ = ["MongoTokenStore", "RefreshPolicy", "RefreshStats", "__version__"]
