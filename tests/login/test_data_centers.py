"""The data centre that a callback names: one of Zoho's own, or none."""

import pytest

from tests.sdk.version import SDK_LINE
from zoho_mongo_store.login import UnknownDataCenterError
from zoho_mongo_store.login.data_centers import DataCenters, Kind
from zoho_mongo_store.sdk import zoho_data_centers

ZOHO = DataCenters("us", "production", None)
SERVERS = {
    "us": "https://accounts.zoho.com",
    "eu": "https://accounts.zoho.eu",
    "in": "https://accounts.zoho.in",
    "au": "https://accounts.zoho.com.au",
    "jp": "https://accounts.zoho.jp",
    "cn": "https://accounts.zoho.com.cn",
    "ca": "https://accounts.zohocloud.ca",
    "sa": "https://accounts.zoho.sa",
}
# SDK 5 knows neither Canada nor Saudi Arabia, SDK 6 not the latter, and Canada by another address.
KNOWN = {name: SERVERS[name] for name in zoho_data_centers("production")}
if SDK_LINE == 6:
    del KNOWN["ca"]


def test_knows_zohos_data_centers() -> None:
    assert {"us", "eu", "in", "au", "jp", "cn"} <= KNOWN.keys() <= SERVERS.keys()


@pytest.mark.parametrize("name", KNOWN)
def test_takes_the_one_that_a_callback_names(name: str) -> None:
    server = KNOWN[name]
    both = {"location": name, "accounts-server": server}

    for parameters in (both, {"location": name}, {"accounts-server": server}):
        found = ZOHO.of_callback(parameters)
        assert found.accounts_url == f"{server}/oauth/v2/token"
    assert ZOHO.of_callback({**both, "accounts-server": f"{server}/"}) is found


def test_takes_the_own_one_where_a_callback_names_none() -> None:
    india = DataCenters("in", "production", None)

    assert india.of_callback({}).accounts_url == "https://accounts.zoho.in/oauth/v2/token"


@pytest.mark.parametrize(
    "parameters",
    [
        {"accounts-server": "https://accounts.zoho.com.evil.example"},
        {"accounts-server": "https://accounts.zoho.eu@evil.example"},
        {"accounts-server": "https://evil.example/accounts.zoho.eu"},
        {"accounts-server": "http://accounts.zoho.eu"},
        {"accounts-server": "https://accounts.zoho.eu:8443"},
        {"accounts-server": "accounts.zoho.eu"},
        {"location": "eu", "accounts-server": "https://evil.example"},
        {"location": "evil", "accounts-server": "https://accounts.zoho.eu"},
        {"location": "us", "accounts-server": "https://accounts.zoho.eu"},
        {"location": "evil"},
    ],
)
def test_refuses_any_other(parameters: dict[str, str]) -> None:
    with pytest.raises(UnknownDataCenterError) as refused:
        ZOHO.of_callback(parameters)
    assert "evil" not in str(refused.value)


@pytest.mark.parametrize(
    ("environment", "host"),
    [("production", "www"), ("sandbox", "sandbox"), ("developer", "developer")],
)
def test_environments(environment: Kind, host: str) -> None:
    centers = DataCenters("eu", environment, None)

    assert centers.default.url == f"https://{host}.zohoapis.eu"
    assert centers.of_callback({"location": "jp"}).url == f"https://{host}.zohoapis.jp"
    assert centers.authorize_url == "https://accounts.zoho.eu/oauth/v2/auth"
