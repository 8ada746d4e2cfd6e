"""What all attempts of one store share."""

from typing import NamedTuple

from zoho_mongo_store.driver.server_clock import HostClock
from zoho_mongo_store.refresh.leases import Leases
from zoho_mongo_store.refresh.policy import RefreshPolicy
from zoho_mongo_store.refresh.stats import Counters
from zoho_mongo_store.storage.repository import TokenRepository


class Site(NamedTuple):
    """What all attempts of one store share.

    Attributes:
        tokens: The stored tokens.
        leases: The leases, in MongoDB.
        clock: This host's clock and MongoDB's.
        counters: The counts of this process.
        policy: The durations to use.
    """

    tokens: TokenRepository
    leases: Leases
    clock: HostClock
    counters: Counters
    policy: RefreshPolicy
