"""A name server that leads to a MongoDB on this machine."""

import socket
from typing import Any, NamedTuple

import pytest
from dns import name, resolver

CLUSTER = "cluster.zoho-mongo-store.example"
URI = f"mongodb+srv://{CLUSTER}/?tls=false"
_HOST = "host.zoho-mongo-store.example"


class _Target(NamedTuple):
    target: name.Name
    port: int


class NameServer:
    """Answers pymongo's questions for the hosts of any cluster.

    Attributes:
        port: The port of the one host, which is on this machine.
        failure: What it raises in place of an answer.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand in for the resolver for as long as the test lasts."""
        self.port = 1
        self.failure: Exception | None = None
        self._address = socket.getaddrinfo
        monkeypatch.setattr(resolver, "resolve", self._resolve)
        monkeypatch.setattr(socket, "getaddrinfo", self._resolve_host)

    def _resolve(self, _: str, kind: str, **__: object) -> list[Any]:
        if self.failure is not None:
            raise self.failure
        if kind == "TXT":
            raise resolver.NoAnswer()  # type: ignore[no-untyped-call]
        return [_Target(name.from_text(f"{_HOST}."), self.port)]

    def _resolve_host(self, host: Any, *rest: Any, **named: Any) -> Any:
        return self._address("127.0.0.1" if host == _HOST else host, *rest, **named)
