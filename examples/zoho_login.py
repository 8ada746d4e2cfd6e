"""The login that the portal, the FastAPI application and the Celery worker have in common.

Each process calls ``initialize`` once. The tokens are those of ZOHO_MONGO_URI, so whoever logged in
on the portal is known to the others too. For the client's variables see settings.py.

ZOHO_REDIRECT_URL: the portal's ``/callback``, letter by letter as it is registered with Zoho.
"""

import os

from settings import CLIENT_ID, CLIENT_SECRET, data_centers

from zoho_mongo_store import MongoTokenStore, ZohoLogin

store = MongoTokenStore()
login = ZohoLogin(
    CLIENT_ID,
    CLIENT_SECRET,
    os.environ.get("ZOHO_REDIRECT_URL", "http://localhost:8000/callback"),
    scopes=[
        "ZohoCRM.users.READ",
        "ZohoCRM.org.READ",
        "ZohoCRM.settings.fields.READ",
        "ZohoCRM.settings.modules.READ",
        "ZohoCRM.modules.contacts.READ",
    ],
    data_centers=data_centers(),
)


def initialize() -> None:
    """Initialize the SDK for this process, without a user."""
    login.initialize(store)
