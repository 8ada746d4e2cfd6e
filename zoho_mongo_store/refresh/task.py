"""What one caller wants to redeem: a token's credential, at one of Zoho's URLs."""

import copy
from dataclasses import dataclass
from functools import cached_property

from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.login_state import digest
from zoho_mongo_store.model.token import from_document, to_document
from zoho_mongo_store.redemption import Redemption
from zoho_mongo_store.refresh.intercept import was_login_required
from zoho_mongo_store.refresh.lease import lease_key
from zoho_mongo_store.sdk import OAuthToken, current_initializer, secrets_of


@dataclass(frozen=True, repr=False)
class Task:
    """A credential to redeem.

    Attributes:
        token: A copy of the caller's token, which no other thread changes.
        fields: Its fields as in a document.
        redemption: Which credential to redeem.
        url: Zoho's URL for the request.
        initializer: The SDK's state in the caller's thread.
        was_login_required: Whether the caller's find saw that a login is required.
    """

    token: OAuthToken
    fields: Document
    redemption: Redemption
    url: str
    initializer: object
    was_login_required: bool

    @classmethod
    def of(cls, token: OAuthToken, redemption: Redemption, url: str) -> "Task":
        """Describe what the caller wants, with a copy of its token."""
        own = copy.copy(token)
        return cls(
            own, to_document(own), redemption, url, current_initializer(), was_login_required(own)
        )

    def of_stored(self, stored: Document) -> "Task":
        """Describe the refresh of a stored token, for the same caller."""
        token = from_document(stored)
        return Task(
            token, to_document(token), Redemption.REFRESH, self.url, self.initializer, False
        )

    @property
    def credential(self) -> str | None:
        """The credential, or ``None`` if the token has none."""
        value: str | None = self.fields.get(self.redemption.credential)
        return value

    @property
    def held(self) -> str | None:
        """The access token that the caller holds and wants to replace."""
        value: str | None = self.fields.get("access_token")
        return value

    @cached_property
    def key(self) -> str:
        """The key of the lease."""
        return lease_key(self.redemption.credential, self.credential or "")

    @cached_property
    def request(self) -> str:
        """The digest of the request: everything that Zoho's answer depends on.

        The client secret is hashed together with the credential, so that equal secrets of two
        tokens do not look equal.
        """
        named = ("client_id", "client_secret", "redirect_url")
        return digest(self.credential, self.url, *(self.fields.get(field) for field in named))

    @property
    def flight_key(self) -> str:
        """Calls with the same key, for one stored token and one request, share one outcome."""
        owner = self.fields.get("id") or self.fields.get("user_name") or ""
        return f"{self.key}:{self.request}:{owner}"

    @property
    def secrets(self) -> list[str]:
        """The secrets that no text may show."""
        return secrets_of(self.token)

    @property
    def name(self) -> str:
        """What a log may say about the token: its id and its user."""
        return f"id {self.fields.get('id')}, user {self.fields.get('user_name')}"
