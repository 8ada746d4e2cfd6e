"""What the loopback Zoho was asked, as a test asserts on it."""

from __future__ import annotations

from typing import get_args

from zoho_mongo_store.testing.zoho.protocol import Kind, Request, digest
from zoho_mongo_store.testing.zoho.server import ZohoServer


class RequestHandle(ZohoServer):
    """Lists and counts the requests."""

    def requests(self) -> list[Request]:
        """The requests received so far, in their order; control requests are not among them."""
        return [Request(**request) for request in self._ask("requests")]

    def count(self, kind: Kind, credential: str | None = None) -> int:
        """How many requests of the kind were received, whatever was answered.

        Args:
            kind: As ``Request`` has it. A login on the authorize page is two of
                ``"authorize"``: the page with status ``"shown"``, and the button with ``"ok"`` or
                ``"access_denied"``.
            credential: Count only those that carried this grant, refresh or access token.

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
        """How many token requests with this grant or refresh token were ever under way at once.

        One is under way until it is answered, or its client has hung up.
        """
        return int(self._ask("most_at_once", credential=credential))

    def clear(self) -> None:
        """Forget the requests and what was counted of them. Tokens and limits stay."""
        self._ask("clear")
