"""The outcomes of an attempt to get a new access token."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from zoho_mongo_store.model.document import Document, expires_in_of
from zoho_mongo_store.model.token import fill
from zoho_mongo_store.refresh.errors import LoginRequiredError, RefreshPausedError
from zoho_mongo_store.refresh.intercept import mark_saved
from zoho_mongo_store.sdk import OAuthToken, SDKException


def correct_expiry(token: OAuthToken, document: Document, ahead: timedelta) -> None:
    """Convert the expiry of a token from MongoDB's clock to this host's, which the SDK uses.

    Args:
        token: The token that was filled.
        document: The document that it was filled from.
        ahead: How far this host's clock is ahead of MongoDB's.
    """
    expiry = document.get("expiry_time")
    if not ahead or not isinstance(expiry, datetime):
        return
    if token.get_expires_in() == expires_in_of(expiry):
        token.set_expires_in(expires_in_of(expiry + ahead))


@dataclass(frozen=True, repr=False)
class Brought:
    """There is a new access token.

    Attributes:
        document: The token as stored, or as in Zoho's answer if it could not be stored.
        is_stored: Whether it is stored.
    """

    document: Document
    is_stored: bool = True

    def give_to(self, token: OAuthToken, ahead: timedelta) -> None:
        """Fill a caller's token.

        Args:
            token: The caller's token.
            ahead: How far this host's clock is ahead of MongoDB's.
        """
        token.set_refresh_token(self.document.get("refresh_token") or token.get_refresh_token())
        if self.is_stored:
            token.set_id(self.document["id"])
            fill(token, self.document)
            correct_expiry(token, self.document, ahead)
            mark_saved(token)
            return
        own_id = token.get_id()
        fill(token, {"id": own_id or "none yet", **self.document})
        token.set_id(self.document.get("id") or own_id)
        correct_expiry(token, self.document, ahead)


@dataclass(frozen=True)
class Failed:
    """There is no new access token.

    Attributes:
        code: The SDK's code.
        message: The reason, without any secret.
        retry_after: How long nobody asks Zoho. ``None``: the user has to log in again.
    """

    code: str
    message: str
    retry_after: timedelta | None

    def error(self) -> SDKException:
        """Create the exception for one caller."""
        if self.retry_after is None:
            return LoginRequiredError(self.code, self.message)
        return RefreshPausedError(self.code, self.message, self.retry_after)


Outcome = Brought | Failed
