"""What a peer is: one way to keep tokens."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.rows import Row
from zoho_mongo_store.sdk import TokenStore


class Sites(NamedTuple):
    """Where the peers keep their tokens."""

    folder: Path
    mongodb: str
    """A URI."""
    mariadb: int | None
    """The port, if there is a server."""


@dataclass(frozen=True)
class Peer(ABC):
    """One way to keep tokens, in a storage of its own. It can be passed to another process."""

    sites: Sites
    storage: str
    """The name of a database, a file or a collection."""

    @abstractmethod
    def load(self, rows: Iterable[Row]) -> None:
        """Make the storage, with these tokens; not by the store's own saves."""

    @abstractmethod
    def open(self) -> TokenStore:
        """Make the store, as an application does."""

    def close(self, store: TokenStore) -> None:
        """Close a store that ``open`` made. Without effect where nothing stays open."""
        del store

    @contextmanager
    def opened(self) -> Iterator[TokenStore]:
        """Make the store, and close it afterwards."""
        store = self.open()
        try:
            yield store
        finally:
            self.close(store)
