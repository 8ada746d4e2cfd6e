"""One stored token, and a Zoho whose clock moves along with the server's."""

from typing import Any, NamedTuple

from tests.refresh.callers import CLIENT, Fields
from tests.refresh.moved_time import MovedTime
from tests.tokens import make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.sdk import SDKException
from zoho_mongo_store.testing import LoopbackZoho


class Site(NamedTuple):
    """One stored token, and a Zoho whose clock moves along with the server's."""

    store: MongoTokenStore
    zoho: LoopbackZoho
    time: MovedTime
    fields: Fields

    def advance(self, seconds: float) -> None:
        """Let time pass, for the server and for Zoho."""
        self.time.advance(seconds)
        self.zoho.advance(seconds)

    def refresh(self, **answers: Any) -> SDKException | None:
        """Refresh as the SDK does when the token has expired; the error, if that is what came."""
        if answers:
            self.zoho.configure(**answers)
        token = self.store.find_token_by_id(self.fields["id"])
        assert token is not None
        method: Any = token.refresh_access_token
        try:
            method(token, f"{self.zoho.url}/oauth/v2/token")
        except SDKException as error:
            return error
        return None

    def asked(self) -> int:
        """How many requests Zoho has received."""
        return self.zoho.count("refresh")


def stored(store: MongoTokenStore, zoho: LoopbackZoho) -> Fields:
    """The fields of a stored token of a login of its own."""
    refresh_token = zoho.refresh_token()
    name = f"ada {refresh_token[-6:]}"
    token = make_token(user_name=name, refresh_token=refresh_token, **CLIENT)
    store.save_token(token)
    return {"id": token.get_id(), "refresh_token": refresh_token}
