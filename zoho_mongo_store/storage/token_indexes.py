"""The indexes of the tokens and of the leases."""

from datetime import timedelta

from pymongo.collection import Collection

from zoho_mongo_store.driver.index import Changes, Index
from zoho_mongo_store.driver.indexes import ensure_indexes
from zoho_mongo_store.errors import InvalidInputError
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.login_state import LOGIN_REQUIRED_SINCE

IDLE_FIELD = "updated_at"
PURGE_FIELD = "purge_at"
BUSY_FIELD = "busy_until"
"""Until when a lease is held, cooling down or at Zoho's limit. If it is none of these, the field is
missing or in the past."""

# expireAfterSeconds is a 32-bit number of seconds.
_LONGEST_IDLE = timedelta(seconds=2**31 - 1)

# None is sparse: a client with ServerApi("1", strict=True) never uses sparse ones (SERVER-94424).
TOKEN_INDEXES = (
    Index("id", unique=True),
    Index("user_name", unique=True, partial=True),
    Index("access_token"),
    Index("refresh_token"),
    Index("grant_token"),
    # For finding the users who have to log in again: few documents, or none.
    Index(LOGIN_REQUIRED_SINCE, partial=True),
)
LEASE_INDEXES = (
    # Each lease names the time from which it can be deleted.
    Index(PURGE_FIELD, expire_after=0),
    # For finding refreshes that are in progress or held off: few leases, or none.
    Index(BUSY_FIELD, partial=True),
)


def idle_index(expire_idle_after: timedelta | None) -> Index | None:
    """Define the TTL index that deletes tokens that have not been saved for this long.

    Args:
        expire_idle_after: From one second to 68 years; MongoDB counts whole seconds. ``None``: no
            index.

    Raises:
        InvalidInputError: It is not a ``timedelta``, or is out of range.
    """
    if expire_idle_after is None:
        return None
    if not isinstance(expire_idle_after, timedelta):
        raise InvalidInputError("expire_idle_after must be a timedelta or None")
    if not timedelta(seconds=1) <= expire_idle_after <= _LONGEST_IDLE:
        raise InvalidInputError("expire_idle_after must be between one second and 68 years")
    return Index(IDLE_FIELD, expire_after=int(expire_idle_after.total_seconds()))


def ensure_token_indexes(
    collection: Collection[Document], idle: Index | None, timeout: float, *, by_hand: bool
) -> Changes:
    """Give the collection of tokens its indexes; see ``ensure_indexes``.

    Args:
        collection: The collection of tokens.
        idle: The TTL index for idle tokens. ``None``: if called by hand, an existing one is
            dropped.
        timeout: Seconds, as for ``ensure_indexes``.
        by_hand: Whether to change and drop existing indexes.
    """
    wanted = [*TOKEN_INDEXES, *([idle] if idle else [])]
    drop_ttl_on = None if idle else IDLE_FIELD
    return ensure_indexes(collection, wanted, timeout, by_hand=by_hand, drop_ttl_on=drop_ttl_on)


def ensure_lease_indexes(
    collection: Collection[Document], timeout: float, *, by_hand: bool
) -> Changes:
    """Give the collection of leases its indexes; see ``ensure_indexes``."""
    return ensure_indexes(collection, LEASE_INDEXES, timeout, by_hand=by_hand)
