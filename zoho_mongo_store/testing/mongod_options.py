"""The options that a ``mongod`` is started with, and those of its administrator's client."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
REPLICA_SET = "rs0"
KEY_FILE = "key"
KEY_BYTES = 48

# Keeps memory and disk use low, and leaves no socket file behind if the server is killed.
_FRUGAL = (
    "--wiredTigerCacheSizeGB=0.25",
    "--wiredTigerEngineConfigString=log=(file_max=16MB,prealloc=false)",
    "--quiet",
    *(["--nounixsocket"] if os.name == "posix" else []),
)


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


@dataclass(frozen=True)
class MongodOptions:
    """The options that all members of one deployment share; ``LocalMongo`` describes them."""

    standalone: bool
    auth: bool
    tls_certificate_key_file: Path | None
    tls_ca_file: Path | None
    tls_require_client_certificate: bool
    set_parameters: Mapping[str, Any]
    mongod_options: Sequence[str]
    key: str = field(default_factory=_new_key, repr=False)

    def command(self, program: Path, port: int, storage: Path, folder: Path) -> list[str]:
        """Return the command line of one member. ``folder`` contains its key file."""
        return [
            str(program),
            f"--bind_ip={HOST}",
            f"--port={port}",
            f"--dbpath={storage}",
            *_FRUGAL,
            *([] if self.standalone else [f"--replSet={REPLICA_SET}", "--oplogSize=64"]),
            *([f"--keyFile={folder / KEY_FILE}"] if self.auth else []),
            *self._tls(),
            *(
                f"--setParameter={name}={str(value).lower() if value in (True, False) else value}"
                for name, value in self.set_parameters.items()
            ),
            *self.mongod_options,
        ]

    def write_key_file(self, folder: Path) -> None:
        """Write the key with which members authenticate each other, if authentication is on."""
        if self.auth:
            path = folder / KEY_FILE
            path.touch(mode=0o600)
            path.write_text(self.key)

    def client_options(self, *, authenticated: bool) -> dict[str, Any]:
        """Return the options of the test harness's own client, as keyword arguments.

        The deployment's key authenticates as ``__system``, which may do everything.
        """
        options: dict[str, Any] = {"directConnection": True}
        if self.tls_certificate_key_file:
            options |= {
                "tls": True,
                "tlsAllowInvalidCertificates": True,
                "tlsCertificateKeyFile": str(self.tls_certificate_key_file),
            }
        if self.auth and authenticated:
            options |= {"username": "__system", "password": self.key, "authSource": "local"}
        return options

    def _tls(self) -> list[str]:
        if not self.tls_certificate_key_file:
            return []
        anonymous = "--tlsAllowConnectionsWithoutCertificates"
        return [
            "--tlsMode=requireTLS",
            f"--tlsCertificateKeyFile={self.tls_certificate_key_file}",
            f"--tlsCAFile={self.tls_ca_file}",
            *([] if self.tls_require_client_certificate else [anonymous]),
        ]
