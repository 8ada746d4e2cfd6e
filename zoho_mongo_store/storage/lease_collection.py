"""The collection of leases, next to that of the tokens."""

from pymongo import ReadPreference, WriteConcern
from pymongo.collection import Collection

from zoho_mongo_store.model.document import Document

LEASES_SUFFIX = ".leases"
"""Appended to the name of the collection of tokens."""


def lease_collection(tokens: Collection[Document]) -> Collection[Document]:
    """Return the collection of the leases on the tokens in ``tokens``."""
    return tokens.database.get_collection(
        f"{tokens.name}{LEASES_SUFFIX}",
        tokens.codec_options,
        ReadPreference.PRIMARY,
        # Whatever the user chose for tokens: a lease lost in a failover would be held twice.
        WriteConcern("majority"),
    )
