"""The shortest real program: log in once, and find the token in MongoDB ever after.

ZOHO_GRANT_TOKEN is needed only once; it may stay set, and is not exchanged again. MongoDB is at
ZOHO_MONGO_URI, by default mongodb://localhost:27017. For the other variables see settings.py.
"""

import os

from settings import CLIENT_ID, CLIENT_SECRET, environment
from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
from zohocrmsdk.src.com.zoho.crm.api.org import OrgOperations

from zoho_mongo_store import MongoTokenStore

with MongoTokenStore() as store:
    token = OAuthToken(CLIENT_ID, CLIENT_SECRET, grant_token=os.environ["ZOHO_GRANT_TOKEN"])
    Initializer.initialize(environment(), token, store)

    organization = OrgOperations().get_organization().get_object().get_org()[0]
    print(organization.get_company_name())
