"""The store's own request to Zoho is the SDK's, byte for byte; only its time-out differs."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore

from tests.conftest import StoreMaker
from tests.engines import SERVERS
from tests.refresh.callers import CLIENT, driving
from tests.tokens import make_token
from zoho_mongo_store.sdk import TokenStore
from zoho_mongo_store.testing import LoopbackZoho

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

ANSWER = json.dumps(
    {"access_token": "1000.new", "refresh_token": "1000.r", "expires_in": 3600}
).encode()

# Each with a character that a form has to encode.
KINDS: dict[str, dict[str, Any]] = {
    "refresh": {"refresh_token": "1000.r+&=", "access_token": "1000.old", "expires_in": "1000"},
    "grant": {"grant_token": "1000.g/ü"},
    "grant with a redirect URL": {
        "grant_token": "1000.g",
        "redirect_url": "https://app.example.com/back?x=1",
    },
}


@contextmanager
def recording() -> Iterator[tuple[LoopbackZoho, list[bytes]]]:
    """A Zoho that answers every request alike, and what was sent to it."""
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    requests.append(_read(connection))
                    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(ANSWER)}\r\n"
                    connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + ANSWER)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield LoopbackZoho.at(f"http://127.0.0.1:{server.getsockname()[1]}"), requests
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(30)


def _read(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    (length,) = (
        int(line.partition(b":")[2])
        for line in head.splitlines()
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def sent_by(store: TokenStore, fields: dict[str, Any], zoho: LoopbackZoho) -> None:
    """Have the SDK get an access token for a stored token that needs one."""
    token = make_token(user_name="ada@example.com:1", **CLIENT, **fields)
    store.save_token(token)
    with driving(store, zoho):
        assert token.get_token() == "1000.new"


@pytest.mark.parametrize("kind", KINDS)
def test_the_request_is_the_sdks(kind: str, make_store: StoreMaker, tmp_path: Path) -> None:
    with recording() as (zoho, requests):
        sent_by(FileStore(str(tmp_path / "tokens.csv")), KINDS[kind], zoho)
        sent_by(make_store(), KINDS[kind], zoho)

    by_the_sdk, by_the_store = requests
    assert by_the_sdk.startswith(b"POST /oauth/v2/token HTTP/1.1\r\n")
    assert by_the_store == by_the_sdk
