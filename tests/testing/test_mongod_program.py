"""Which mongod is run, and what is said where there is none or it cannot run."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from zoho_mongo_store.testing import LocalMongo, MongodUnavailableError, mongod_program
from zoho_mongo_store.testing.mongod_program import PROGRAM_VARIABLE, find_mongod


def executable(path: Path, script: str) -> Path:
    """A program that does what the shell script says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def program(path: Path, version: str) -> Path:
    return executable(path, f"echo 'db version v{version}'")


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No variable, an empty folder on the PATH, and no wheel: the folders that can be filled."""
    (tmp_path / "path").mkdir()
    monkeypatch.delenv(PROGRAM_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    spec = importlib.machinery.ModuleSpec("fiftyone", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path / "wheel")]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    return tmp_path


def test_the_order(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = program(nowhere / "wheel" / "db" / "bin" / "mongod", "6.0.5")
    assert (find_mongod().path, find_mongod().version) == (wheel, "6.0.5")
    on_path = program(nowhere / "path" / "mongod", "7.0.1")
    assert (find_mongod().path, find_mongod().version) == (on_path, "7.0.1")
    named = program(nowhere / "named", "8.0.0-rc1")
    monkeypatch.setenv(PROGRAM_VARIABLE, str(named))
    assert (find_mongod().path, find_mongod().version) == (named, "8.0.0-rc1")
    given = program(nowhere / "given", "4.4.2")
    assert LocalMongo(mongod=given).version == "4.4.2"


def test_the_installed_wheel_is_found_and_not_imported() -> None:
    script = (
        "import sys\n"
        "import zoho_mongo_store.testing\n"
        "from zoho_mongo_store.testing.mongod_program import _in_wheel\n"
        "assert _in_wheel()\n"
        "print([name for name in ('werkzeug', 'fiftyone') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, timeout=60, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("system", "machine", "said", "unsaid"),
    [
        ("Linux", "x86_64", ["pip install 'zoho-mongo-store[testing]'", "mongodb-org"], "brew"),
        ("Linux", "aarch64", ["pip install 'zoho-mongo-store[testing]'", "apt"], "brew"),
        ("Linux", "s390x", ["Install MongoDB: ", "apt"], "pip install"),
        ("Darwin", "arm64", ["pip install 'zoho-mongo-store[testing]'", "brew install"], "apt"),
        ("Darwin", "x86_64", ["Install MongoDB: brew tap"], "pip install"),
        ("Windows", "AMD64", ["pip install 'zoho-mongo-store[testing]'", "winget"], "brew"),
        ("FreeBSD", "amd64", ["Install MongoDB for"], "pip install"),
    ],
)
def test_without_a_program_the_error_says_what_to_install_here(
    nowhere: Path,
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    machine: str,
    said: list[str],
    unsaid: str,
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(MongodUnavailableError) as caught:
        LocalMongo()
    for text in ["No MongoDB server was found", PROGRAM_VARIABLE, "mongod on the PATH", *said]:
        assert text in str(caught.value)
    assert unsaid not in str(caught.value)
    assert list((nowhere / "path").iterdir()) == []


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libcurl.so.4", "libcurl4"),
        ("libssl.so.3", "libssl3"),
        ("libcrypto.so.1.1", "libssl1.1"),
        ("libgssapi_krb5.so.2", "libgssapi-krb5-2"),
    ],
)
def test_a_missing_library_is_named_with_its_package(
    tmp_path: Path, library: str, package: str
) -> None:
    loader = (
        f"echo '/opt/mongod: error while loading shared libraries: {library}: cannot open shared "
        "object file: No such file or directory' >&2; exit 127"
    )
    fake = executable(tmp_path / "mongod", loader)
    with pytest.raises(MongodUnavailableError) as caught:
        find_mongod(fake)
    text = str(caught.value)
    assert f"{fake} does not run here: the library {library} is missing." in text
    assert f"apt-get install {package}" in text
    # Where OpenSSL 1.1 is not to be had any more, another build of the program helps.
    assert ("pip install" in text) == library.endswith(".1.1")


def test_an_unknown_library_is_named(tmp_path: Path) -> None:
    loader = "echo 'mongod: error while loading shared libraries: libnew.so.9: no' >&2; exit 127"
    with pytest.raises(MongodUnavailableError, match=r"libnew\.so\.9 is missing\.$"):
        find_mongod(executable(tmp_path / "mongod", loader))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo some; echo 'GLIBC_2.35 is not there' >&2; exit 1", "1: GLIBC_2.35 is not there"),
        ("exit 3", "ended with 3: no output"),
        ("kill -ILL $$", "lacks AVX"),
    ],
)
def test_another_failure_is_quoted(tmp_path: Path, script: str, said: str) -> None:
    with pytest.raises(MongodUnavailableError, match=said):
        find_mongod(executable(tmp_path / "mongod", script))


def test_a_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the variable names is not replaced by another program in silence."""
    monkeypatch.setenv(PROGRAM_VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(MongodUnavailableError, match=r"missing cannot be run: .*No such file"):
        LocalMongo()


def test_a_program_is_asked_once(tmp_path: Path) -> None:
    count = tmp_path / "count"
    asked = executable(tmp_path / "mongod", f"echo x >> {count}; echo 'db version v6.0.5'")
    assert [find_mongod(asked).version for _ in range(3)] == ["6.0.5"] * 3
    assert mongod_program._version.cache_info().hits >= 2
    assert count.read_text() == "x\n"
