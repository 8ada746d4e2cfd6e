"""The collection of leases, beside that of the tokens."""

from pymongo import ReadPreference, WriteConcern
from pymongo.collection import Collection

from zoho_mongo_store.model.document import Document

LEASES_SUFFIX = ".leases"
"""What its name has after that of the collection of tokens."""


def lease_collection(tokens: Collection[Document]) -> Collection[Document]:
    """Give the collection of the leases on the tokens in ``tokens``."""
    return tokens.database.get_collection(
        f"{tokens.name}{LEASES_SUFFIX}",
        tokens.codec_options,
        ReadPreference.PRIMARY,
        # Whatever the user chose for tokens: a lease that a failover forgets is held twice.
        WriteConcern("majority"),
    )
