"""What clients send to Zoho, as they send it."""

import requests

from zoho_mongo_store.testing import LoopbackZoho

TIMEOUT = 60


def post(zoho: LoopbackZoho, **form: str) -> requests.Response:
    client = {"client_id": zoho.client_id, "client_secret": zoho.client_secret}
    return requests.post(f"{zoho.url}/oauth/v2/token", data={**client, **form}, timeout=TIMEOUT)


def exchange(zoho: LoopbackZoho, grant: str, **form: str) -> requests.Response:
    return post(zoho, grant_type="authorization_code", code=grant, **form)


def refresh(zoho: LoopbackZoho, refresh_token: str, **form: str) -> requests.Response:
    return post(zoho, grant_type="refresh_token", refresh_token=refresh_token, **form)


def revoke(zoho: LoopbackZoho, token: str) -> requests.Response:
    url = f"{zoho.url}/oauth/v2/token/revoke"
    return requests.post(url, data={"token": token}, timeout=TIMEOUT)


def get(zoho: LoopbackZoho, path: str, access_token: str) -> requests.Response:
    headers = {"Authorization": f"Zoho-oauthtoken {access_token}"}
    return requests.get(f"{zoho.url}/crm/{path}", headers=headers, timeout=TIMEOUT)
