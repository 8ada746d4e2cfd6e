"""The same for an application that has a MongoClient of its own: the store borrows it.

The tokens go to the database and collection that are named here; the store never closes the client.
For the variables see quickstart.py.
"""

import os

from pymongo import MongoClient
from settings import CLIENT_ID, CLIENT_SECRET, environment
from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
from zohocrmsdk.src.com.zoho.crm.api.org import OrgOperations

from zoho_mongo_store import MongoTokenStore

client = MongoClient[dict[str, object]](
    os.environ.get("ZOHO_MONGO_URI", "mongodb://localhost:27017"), appname="our application"
)
with (
    client,
    MongoTokenStore(client=client, database="our_application", collection="zoho_tokens") as store,
):
    token = OAuthToken(CLIENT_ID, CLIENT_SECRET, grant_token=os.environ["ZOHO_GRANT_TOKEN"])
    Initializer.initialize(environment(), token, store)

    organization = OrgOperations().get_organization().get_object().get_org()[0]
    print(organization.get_company_name())
