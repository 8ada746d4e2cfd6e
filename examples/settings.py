"""What the examples read from the environment: the Zoho to talk to, and the client's credentials.

ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET: of a client registered in Zoho's API console.
ZOHO_URL: the address of a Zoho on this machine (``zoho_mongo_store.testing.LoopbackZoho``); unset,
the examples talk to the live Zoho, that of the United States where a user's is not known.
"""

import os

from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.dc.us_data_center import USDataCenter

CLIENT_ID = os.environ["ZOHO_CLIENT_ID"]
CLIENT_SECRET = os.environ["ZOHO_CLIENT_SECRET"]


def environment() -> DataCenter.Environment:
    """The environment that the SDK sends its requests to."""
    url = os.environ.get("ZOHO_URL")
    if url is None:
        return USDataCenter.PRODUCTION()
    return DataCenter.Environment(url, f"{url}/oauth/v2/token", url)


def data_centers() -> dict[str, DataCenter.Environment] | None:
    """The data centers that users may come from; ``None`` stands for all of Zoho's own."""
    url = os.environ.get("ZOHO_URL")
    if url is None:
        return None
    from zoho_mongo_store.testing import LoopbackZoho

    return LoopbackZoho.at(url).environments()
