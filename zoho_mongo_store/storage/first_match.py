"""Looks a token up with several filters, one after the other."""

from collections.abc import Iterable

from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.lookup import Filter
from zoho_mongo_store.model.token_documents import TokenDocuments


def first_match(documents: TokenDocuments, filters: Iterable[Filter]) -> Document | None:
    """Return the document found by the first filter that matches; ``None`` if none does."""
    for candidate in filters:
        stored = documents.find_one(candidate)
        if stored is not None:
            return stored
    return None
