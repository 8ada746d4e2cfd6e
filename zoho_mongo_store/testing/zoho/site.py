"""The data centres of a loopback Zoho."""

from __future__ import annotations

from collections.abc import Sequence

from zoho_mongo_store.testing.zoho.directory import Directory
from zoho_mongo_store.testing.zoho.service import ZohoService


class Site:
    """Data centres that share the same clients and users.

    Args:
        locations: Their names. The initial user is in the first one.

    Attributes:
        directory: The clients and users.
        data_centers: Each data centre by name.
        urls: The URL of each data centre by name, filled in by the server.
    """

    def __init__(self, locations: Sequence[str]) -> None:
        self.urls = dict.fromkeys(locations, "")
        self._start()

    def reset(self) -> None:
        """Forget everything, as if freshly started, and answer hanging requests."""
        before = self.data_centers
        self._start()
        for service in before.values():
            service.conduct.release()

    def _start(self) -> None:
        directory = Directory(next(iter(self.urls)))
        self.data_centers = {name: ZohoService(directory, name) for name in self.urls}
        self.directory = directory
