"""What leaves the process, and what is on the server's disk: no secret, anywhere."""

import socket
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StoreMaker
from tests.encryption.keys import Client, forms, new_key, settings
from tests.tokens import contents, full, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LocalMongo

# Long enough to be found in a file of many others, if they are there.
SECRETS = {
    "refresh_token": "1000.marked-refresh-6d1f0c",
    "access_token": "1000.marked-access-77aa19",
    "grant_token": "1000.marked-grant-0e5b42",
    "client_secret": "marked-client-secret-c3f8",
}
NEW_ACCESS_TOKEN = "1000.marked-second-access-51"
MARKS = [secret.encode() for secret in (*SECRETS.values(), NEW_ACCESS_TOKEN)]

# What is compressed is not found by reading the files.
UNCOMPRESSED = [
    "--wiredTigerCollectionBlockCompressor=none",
    "--wiredTigerJournalCompressor=none",
]


class Tap:
    """A proxy to a server that keeps all bytes that pass, in both directions."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._streams: list[list[bytes]] = []
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def passed(self) -> bytes:
        """All bytes so far, one stream after the other."""
        return b"|".join(b"".join(stream) for stream in self._streams)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(self._target)
                self._sockets += (near, far)
                for pair in ((near, far), (far, near)):
                    self._threads.append(threading.Thread(target=self._pass, args=pair))
                    self._threads[-1].start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        stream: list[bytes] = []
        self._streams.append(stream)
        with suppress(OSError):
            while data := source.recv(65536):
                stream.append(data)
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End all connections and threads."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._threads[0].join()
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in self._sockets:
            one.close()


def use(store: MongoTokenStore) -> None:
    """Every operation of a store, with each way to look a token up."""
    token = full(**SECRETS)
    store.save_token(token)
    client = {"client_id": "1000.CLIENT", "client_secret": SECRETS["client_secret"]}
    for known in (
        {"access_token": SECRETS["access_token"]},
        {"grant_token": SECRETS["grant_token"], **client},
        {"refresh_token": SECRETS["refresh_token"], **client},
        {"user_name": "ada@example.com:1"},
    ):
        found = make_token(**known)
        assert store.find_token(found) is found
        assert contents(found) == contents(token)
    store.save_token(make_token(refresh_token=SECRETS["refresh_token"], **client))
    store.save_token(make_token(id=token.get_id(), access_token=NEW_ACCESS_TOKEN))
    assert contents(store.get_tokens()[0])["access_token"] == NEW_ACCESS_TOKEN
    store.save_token(make_token(access_token=SECRETS["access_token"]))
    store.delete_token(str(token.get_id()))
    store.delete_tokens()
    store.save_token(full(**SECRETS))


def marked(data: bytes) -> list[bytes]:
    """The secrets that are in ``data``."""
    return [mark for mark in MARKS if mark in data]


@pytest.mark.parametrize("encrypts", [True, False])
def test_neither_wire_nor_files_hold_a_secret(tmp_path: Path, encrypts: bool) -> None:
    """Without encryption they do hold them, or this would prove nothing."""
    key = new_key()
    encryption = settings("zohooauth", key) if encrypts else None
    with (
        LocalMongo(storage_path=tmp_path, mongod_options=UNCOMPRESSED) as server,
        closing(Tap(server.members[0].port)) as tap,
    ):
        # Else the client goes on to the address that the server says it has.
        uri = f"mongodb://127.0.0.1:{tap.port}/?directConnection=true"
        with MongoTokenStore(uri, encryption=encryption) as store:
            use(store)
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    for seen in (tap.passed, files):
        assert b"ada@example.com:1" in seen
        assert key not in seen
        assert marked(seen) == ([] if encrypts else MARKS)


def test_raw_documents(make_store: StoreMaker) -> None:
    store = make_store()
    store.save_token(full(**SECRETS))

    (document,) = store.collection.find()

    assert forms(document) == {"encrypted"}
    assert {field: document[field][0] for field in SECRETS} == {
        "refresh_token": 1,  # deterministic
        "access_token": 1,
        "grant_token": 1,
        "client_secret": 2,  # random
    }
    plain = {"id", "user_name", "client_id", "redirect_url", "api_domain"}
    assert {type(document[field]) for field in plain} == {str}


def test_the_client_secret_of_two_documents_looks_different(make_store: StoreMaker) -> None:
    store = make_store()
    for name in ("ada", "bob"):
        store.save_token(full(user_name=name))

    first, second = store.collection.find()

    assert first["client_secret"] != second["client_secret"]
    assert first["refresh_token"] == second["refresh_token"]


@pytest.mark.parametrize("settings_of", [lambda found: repr(found), lambda found: str(found)])
def test_no_key_is_shown(settings_of: Any) -> None:
    secret = "geheimnis"
    shown = settings_of(
        settings(
            "zohooauth",
            b"",
            kms_providers={"aws": {"accessKeyId": "id", "secretAccessKey": secret}},
            kms_tls_options={"aws": {"tlsCertificateKeyFilePassword": secret}},
        )
    )
    assert "aws" in shown
    assert secret not in shown


def test_clients_without_the_key_see_what_compass_shows(make_store: StoreMaker) -> None:
    """No format of our own: pymongo decrypts by itself, given the same keys."""
    from bson.codec_options import CodecOptions
    from pymongo.encryption import ClientEncryption

    store = make_store()
    store.save_token(full(**SECRETS))
    encryption = store._tokens._encryptor._settings  # type: ignore[union-attr]
    client: Client = store.collection.database.client
    (document,) = store.collection.find()
    with ClientEncryption[dict[str, Any]](
        encryption.kms_providers, encryption.key_vault, client, CodecOptions()
    ) as own:
        assert {field: own.decrypt(document[field]) for field in SECRETS} == SECRETS
