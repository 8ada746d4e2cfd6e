"""A Zoho with two data centres, and the SDK initialized for nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import pytest

from zoho_mongo_store import MongoTokenStore, ZohoLogin, ZohoUser
from zoho_mongo_store.login.scopes import USER_SCOPES
from zoho_mongo_store.testing import LoopbackZoho, fresh_sdk

REDIRECT_URL = "https://portal.example/callback"
ADA = "ada@example.com"  # in the first data centre
GRACE = "grace@example.com"  # in the second
GRACE_ORG = "20002"
NAMES = {ADA: f"{ADA}:10001", GRACE: f"{GRACE}:{GRACE_ORG}"}


@dataclass(frozen=True)
class Site:
    """What each instance of an application is configured with."""

    us: LoopbackZoho
    eu: LoopbackZoho

    def login(self) -> ZohoLogin:
        """As each process makes it."""
        return ZohoLogin(
            self.us.client_id,
            self.us.client_secret,
            REDIRECT_URL,
            scopes=[*USER_SCOPES, "ZohoCRM.settings.fields.READ", "ZohoCRM.modules.contacts.READ"],
            data_centers=self.us.environments(),
        )

    def callback(self, state: str, user: str = ADA) -> dict[str, str]:
        """The query that a user comes back from Zoho with."""
        address = self.us.accept(self.login().authorize_url(state), user)
        return dict(parse_qsl(urlsplit(address).query))

    def exchanges(self) -> tuple[int, int]:
        """How many grant tokens each data centre was asked to exchange."""
        return self.us.count("grant"), self.eu.count("grant")

    def log_in(self, *users: str) -> list[ZohoUser]:
        """Log users in, on the SDK as it is initialized."""
        login = self.login()
        return [login.complete(self.callback("state", user), "state") for user in users]


@pytest.fixture(scope="session")
def running_site() -> Iterator[Site]:
    with LoopbackZoho(data_centers=("us", "eu")) as zoho:
        yield Site(zoho, zoho.data_center("eu"))


@pytest.fixture
def site(running_site: Site) -> Site:
    """The running one, as if it had just been started, with the client and a user in each."""
    running_site.us.reset()
    running_site.us.register_client([REDIRECT_URL])
    running_site.eu.add_user(GRACE, GRACE_ORG)
    return running_site


@pytest.fixture
def login(site: Site, store: MongoTokenStore, resource_path: str) -> Iterator[ZohoLogin]:
    """The login, with the SDK initialized for nobody."""
    with fresh_sdk():
        login = site.login()
        login.initialize(store, resource_path=resource_path)
        yield login
