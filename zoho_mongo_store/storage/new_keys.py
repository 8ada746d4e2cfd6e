"""The unique keys of a new document, on which all processes that insert one token agree."""

import uuid

from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.lookup import derived_id, looked_up_credentials

# A user whose refresh token is already stored under this many other names gets random keys.
_SHARED_ATTEMPTS = 4
# The first rejection of a given id may be a lost race, after which the id finds the document.
_GIVEN_ID_ATTEMPTS = 2


class NewKeys:
    """Chooses ``_id`` and ``id`` for a document that is about to be inserted.

    Only a unique index makes one of two racing inserts fail, and credentials cannot have one: the
    same refresh token may be stored under two user names. So both keys are derived from the
    credentials by which the token is looked up: ``_id`` from the first of them, ``id`` from the
    last. Whichever credential two new tokens share, their inserts collide, and the loser finds the
    winner's document. An id chosen by the caller replaces the derived one.
    """

    def __init__(self, fields: Document) -> None:
        """Start with the keys that every process tries first.

        Args:
            fields: The token's fields, as ``to_document`` returns them.
        """
        self._fields = fields
        self._rejections = {"_id": 0, "id": 0}

    def current(self) -> Document:
        """Return the keys to try now: ``id``, and ``_id`` unless MongoDB is to choose it."""
        given, credentials = self._fields.get("id"), looked_up_credentials(self._fields)
        rejected = self._rejections["id"]
        # Racing inserts of one user collide anyway, on the unique index on the user name.
        is_crowded = max(self._rejections.values()) >= _SHARED_ATTEMPTS
        if not credentials or (is_crowded and "user_name" in self._fields):
            is_free = given is not None and rejected < _GIVEN_ID_ATTEMPTS
            return {"id": given if is_free else uuid.uuid4().hex}
        first, last = credentials[0], credentials[-1]
        keys = {"_id": derived_id(first, self._fields[first], self._rejections["_id"])}
        if given is not None and rejected < _GIVEN_ID_ATTEMPTS:
            return {**keys, "id": given}
        return {**keys, "id": derived_id(last, self._fields[last], rejected)}

    def reject(self, key: str | None) -> None:
        """Note that another document has a key.

        Args:
            key: The key that MongoDB found taken; ``None`` if it did not say which.
        """
        for name in self._rejections:
            if key in (name, None):
                self._rejections[name] += 1
