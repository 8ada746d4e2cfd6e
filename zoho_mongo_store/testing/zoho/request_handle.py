"""The requests to the loopback Zoho, for the assertions of a test."""

from __future__ import annotations

from typing import get_args

from zoho_mongo_store.testing.zoho.protocol import Kind, Request, digest
from zoho_mongo_store.testing.zoho.server import ZohoServer


class RequestHandle(ZohoServer):
    """Lists and counts the requests."""

    def requests(self) -> list[Request]:
        """Return the requests received so far, in order, without control requests."""
        return [Request(**request) for request in self._ask("requests")]

    def count(self, kind: Kind, credential: str | None = None) -> int:
        """Return the number of requests of a kind, whatever the answer was.

        Args:
            kind: A kind of :class:`Request`. A login on the authorize page counts as two of
                ``"authorize"``: the page with status ``"shown"``, and the button with ``"ok"`` or
                ``"access_denied"``.
            credential: Count only requests with this grant, refresh or access token.

        Raises:
            ValueError: There is no such kind.
        """
        if kind not in get_args(Kind):
            raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}")
        wanted = None if credential is None else digest(credential)
        return sum(
            request.kind == kind and wanted in (None, request.digest) for request in self.requests()
        )

    def most_at_once(self, credential: str) -> int:
        """Return how many token requests with this credential were ever in progress at once.

        A request is in progress until it is answered or its client has hung up.
        """
        return int(self._ask("most_at_once", credential=credential))

    def clear(self) -> None:
        """Forget the requests and their counts. Tokens and limits are kept."""
        self._ask("clear")
