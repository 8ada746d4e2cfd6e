"""What mypy says of a user's program, with the package installed from its wheel."""

import os
import re
import subprocess
import sys
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TIMEOUT = 240
# What the package needs; an editable install of it has the stubs as well.
PACKAGES = ["bson", "pymongo", "zohocrmsdk"]

RIGHT = """
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pymongo import MongoClient
from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import TokenStore
from zohocrmsdk.src.com.zoho.api.logger import Logger
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer, ParameterMap, SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.dc import EUDataCenter
from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException
from zohocrmsdk.src.com.zoho.crm.api.record import GetRecordsParam, RecordOperations
from zohocrmsdk.src.com.zoho.crm.api.user_signature import UserSignature
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

from zoho_mongo_store import FieldEncryption, MongoTokenStore, RefreshPolicy, RefreshStats


def stores(client: MongoClient[dict[str, Any]]) -> Iterator[TokenStore]:
    yield MongoTokenStore()
    yield MongoTokenStore("mongodb://localhost", timeout=10, refresh=None)
    yield MongoTokenStore(uri="mongodb://localhost", expire_idle_after=timedelta(days=90))
    yield MongoTokenStore(client=client, refresh=RefreshPolicy(ahead=timedelta(seconds=90)))
    encryption = FieldEncryption({"local": {"key": b"-" * 96}}, plain="read")
    yield MongoTokenStore(client=client, database="zoho", encryption=encryption)


def start(store: MongoTokenStore) -> None:
    token = OAuthToken(client_id="id", client_secret="secret", grant_token="grant")
    Initializer.initialize(
        environment=EUDataCenter.PRODUCTION(),
        token=token,
        store=store,
        sdk_config=SDKConfig(read_timeout=20),
        logger=Logger.get_instance(Logger.Levels.INFO, "sdk.log"),
    )


def records(store: MongoTokenStore, user: str) -> object:
    found = store.find_token(OAuthToken(user_signature=UserSignature(user), find_user=False))
    if found is None:
        raise LookupError(user)
    expires_in: str | None = found.get_expires_in()
    Initializer.switch_user(token=found)
    parameters = ParameterMap()
    parameters.add(GetRecordsParam.page, 1)
    try:
        return RecordOperations("Leads").get_records(parameters, HeaderMap()), expires_in
    except SDKException as error:
        return error.code, Choice("Leads")


def counts(store: MongoTokenStore) -> RefreshStats | None:
    return store.refresh_stats()
"""

WRONG = """
from pymongo import MongoClient
from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import DBStore, TokenStore
from zohocrmsdk.src.com.zoho.crm.api.dc import USDataCenter
from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer

from zoho_mongo_store import FieldEncryption, MongoTokenStore, Unknown  # attr-defined


class Incomplete(TokenStore):
    def find_token(self, token: OAuthToken) -> OAuthToken | None:
        return None


def wrong(client: MongoClient[dict[str, object]]) -> None:
    MongoTokenStore("mongodb://localhost", client=client)  # call-overload
    MongoTokenStore(uri="mongodb://localhost", client=client)  # call-overload
    MongoTokenStore(client)  # call-overload
    MongoTokenStore("mongodb://localhost", timeout="5")  # call-overload
    MongoTokenStore("mongodb://localhost", "zoho")  # call-overload
    MongoTokenStore(client=None)  # call-overload
    MongoTokenStore(url="mongodb://localhost")  # call-overload
    FieldEncryption({}, plain="never")  # arg-type
    store = MongoTokenStore()
    store.find_token("ada")  # arg-type
    store.find_token_by_id(1)  # arg-type
    store.find_token(OAuthToken()).get_id()  # union-attr
    Initializer.initialize(token=OAuthToken(), store=store)  # call-arg
    Initializer.initialize(USDataCenter, OAuthToken())  # arg-type
    Incomplete()  # abstract
    DBStore("localhost", "zohooauth", "root", "", 3306)  # arg-type
    OAuthToken().set_expires_in(1)  # arg-type
"""

OWN_STUBS = "class OAuthToken:\n    def own_method(self) -> int: ...\n"
OWN_PROGRAM = """
from zohocrmsdk.src.com.zoho.api.authenticator import OAuthToken

number: int = OAuthToken().own_method()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=TIMEOUT,
    )
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python in which the wheel is installed, beside the packages that it needs."""
    folder = tmp_path_factory.mktemp("user")
    venv.create(folder, with_pip=False, symlinks=os.name == "posix")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    printed = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    site_packages = Path(printed.stdout.strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site_packages)
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        [found] = spec.submodule_search_locations
        (site_packages / package).symlink_to(found, target_is_directory=True)
    return python


class Mypy:
    """Runs mypy as a user does, whose program is in a folder of its own."""

    def __init__(self, python: Path, folder: Path) -> None:
        self._python = python
        self._folder = folder

    def __call__(self, program: str, **variables: str) -> list[tuple[int, str]]:
        """Check a program; the lines and codes of its errors."""
        path = self._folder / "program.py"
        path.write_text(program)
        options = ["--strict", "--config-file=", "--cache-dir=cache", "--no-error-summary"]
        checked = subprocess.run(
            [sys.executable, "-m", "mypy", *options, "--python-executable", self._python, path],
            cwd=self._folder,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        assert checked.stderr == ""
        errors = re.findall(r"(?m)^(\S+):(\d+): error: .*\[([\w-]+)]$", checked.stdout)
        assert len(errors) == checked.stdout.count(": error: "), checked.stdout
        assert {file for file, _, _ in errors} <= {"program.py"}, checked.stdout
        assert bool(errors) == bool(checked.returncode), checked.stdout
        return [(int(line), code) for _, line, code in errors]


@pytest.fixture(scope="module")
def mypy(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Mypy:
    """The type checker of a user."""
    return Mypy(python, tmp_path_factory.mktemp("program"))


def test_a_program_with_the_store_and_the_sdk_is_typed(mypy: Mypy) -> None:
    assert mypy(RIGHT) == []


def test_what_is_wrong_is_a_type_error(mypy: Mypy) -> None:
    marks = [
        (number, line.partition("  # ")[2])
        for number, line in enumerate(WRONG.splitlines(), 1)
        if "  # " in line
    ]

    assert mypy(WRONG) == marks


def test_stubs_of_the_users_own_go_first(mypy: Mypy, tmp_path: Path) -> None:
    package = tmp_path / "zohocrmsdk/src/com/zoho/api/authenticator"
    package.mkdir(parents=True)
    for parent in [*package.relative_to(tmp_path).parents][:-1]:
        (tmp_path / parent / "__init__.pyi").touch()
    (package / "__init__.pyi").write_text(OWN_STUBS)

    assert mypy(OWN_PROGRAM) == [(4, "attr-defined")]
    assert mypy(OWN_PROGRAM, MYPYPATH=str(tmp_path)) == []


def test_the_stubs_are_those_of_the_sdk(tmp_path: Path) -> None:
    stubs = ROOT / "typings"
    modules = [
        ".".join(path.relative_to(stubs).with_suffix("").parts)
        for path in stubs.rglob("*.pyi")
        if path.name != "__init__.pyi"
    ]
    assert modules
    # SDK 5 takes a name.
    differing = ["zohocrmsdk.src.com.zoho.crm.api.dc.data_center.DataCenter.Environment.__init__"]

    compared = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "--concise", "--ignore-missing-stub", *modules],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(stubs)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )

    found = [line.split()[0] for line in compared.stdout.splitlines()]
    assert found == differing, compared.stdout + compared.stderr
