"""Finds the stored document of a row as a save would find it. Pure functions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, Document


class StoredTokens:
    """The stored documents to which the rows of a batch may belong, with the batch's changes."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._by_id: dict[str, Document] = {}
        self._by_name: dict[str, Document] = {}
        self._by_credential: dict[tuple[str, str], dict[str, Document]] = defaultdict(dict)
        for document in documents:
            self.add(document)

    def add(self, document: Document) -> None:
        """Add a document, or replace the one with its id."""
        self._by_id[document["id"]] = document
        name = document.get("user_name")
        if isinstance(name, str):
            self._by_name[name] = document
        for field in CREDENTIAL_FIELDS:
            credential = document.get(field)
            if isinstance(credential, str):
                self._by_credential[field, credential][document["id"]] = document

    def has_id(self, id: str) -> bool:
        """Whether a document has this id."""
        return id in self._by_id

    def is_name_taken(self, document: Document, id: str | None) -> bool:
        """Whether a document other than the one with ``id`` has the user name of a row."""
        owner = self._by_name.get(document.get("user_name", ""))
        return owner is not None and owner["id"] != id

    def find(self, document: Document) -> Document | None:
        """Find the document that a row belongs to.

        The order is that of a save (``model.lookup``), with one exception: ids from other stores
        are often numbers, so an equal id alone does not mean that two tokens are the same login.

        Args:
            document: The row.

        Returns:
            The stored document, or ``None``. Two users, and two OAuth clients, are never mixed.
        """
        candidates = self._candidates(document)
        return next((one for one in candidates if is_same_client(document, one)), None)

    def _candidates(self, document: Document) -> Iterator[Document]:
        by_id = self._by_id.get(document.get("id", ""))
        if by_id is not None and _is_same_login(document, by_id):
            yield by_id
        name = document.get("user_name")
        if name is not None and name in self._by_name:
            yield self._by_name[name]
        for field in looked_up_fields(document):
            for stored in self._by_credential.get((field, document[field]), {}).values():
                if name is None or "user_name" not in stored:
                    yield stored


def looked_up_fields(document: Document) -> list[str]:
    """Return the credentials by which a row is looked up, in order.

    A save looks up a grant or refresh token only together with a client id and a client secret. An
    import does so without them too: otherwise it would store the same login again each time.
    """
    redeemable: list[str] = [
        field for field in ("grant_token", "refresh_token") if field in document
    ]
    has_client = "client_id" in document and "client_secret" in document
    if "access_token" in document and not (has_client and redeemable):
        return ["access_token", *redeemable]
    return redeemable


def is_same_client(document: Document, stored: Document) -> bool:
    """Whether two tokens may belong to the same OAuth client."""
    if "client_id" not in document or "client_id" not in stored:
        return True
    return bool(document["client_id"] == stored["client_id"])


def _is_same_login(document: Document, stored: Document) -> bool:
    """Whether two tokens have the same user name or, without one, the same credential."""
    if "user_name" in document and "user_name" in stored:
        return bool(document["user_name"] == stored["user_name"])
    for field in CREDENTIAL_FIELDS:
        if field in document and field in stored:
            return bool(document[field] == stored[field])
    return False
