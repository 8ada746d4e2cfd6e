"""One save that could not reach MongoDB."""

from datetime import datetime
from typing import NamedTuple

from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.lookup import save_filters
from zoho_mongo_store.model.matching import matches
from zoho_mongo_store.storage.upsert import REDEEMED_FIELDS


class PendingSave(NamedTuple):
    """A save that has not been written yet.

    Attributes:
        fields: The fields to save.
        attempted_at: When it was first attempted.
        keep_access_token: As for ``upsert``.
        redeemed: For a refresh, the document whose credential was redeemed.
        is_login: Whether Zoho accepted it as a login.
    """

    fields: Document
    attempted_at: datetime
    keep_access_token: bool
    redeemed: Document | None
    is_login: bool = False

    @property
    def document(self) -> Document:
        """The token as it will be stored, as far as is known without asking MongoDB."""
        return self.applied_to(self.redeemed or {})

    def applied_to(self, stored: Document) -> Document:
        """Return ``stored`` as it will be after the save."""
        changes = dict(self.fields)
        if self.redeemed is not None:
            if stored.get("access_token") != self.redeemed.get("access_token"):
                return stored
            changes = {field: changes[field] for field in REDEEMED_FIELDS if field in changes}
        elif self.keep_access_token and stored:
            changes = {field: changes[field] for field in changes if field not in REDEEMED_FIELDS}
        result = dict(stored)
        if changes.get("access_token", result.get("access_token")) != result.get("access_token"):
            # An access token never gets another one's expiry.
            result.pop("expiry_time", None)
        return {**result, **changes, **({"id": stored["id"]} if "id" in stored else {})}

    def is_of(self, document: Document) -> bool:
        """Whether it is a save of the token in ``document``."""
        own = self.document
        return any(matches(document, one) for one in save_filters(own)) or any(
            matches(own, one) for one in save_filters(document)
        )

    def __str__(self) -> str:
        """Name the token, without any secret."""
        return f"id {self.fields.get('id')}, user {self.fields.get('user_name')}"
