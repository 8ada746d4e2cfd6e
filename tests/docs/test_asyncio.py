"""The service and the coroutine of guides/asyncio.md."""

import asyncio
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from tests.docs.pages import DOCS, file_of
from tests.docs.reader import site_folder
from tests.engines import SERVERS
from tests.processes import end
from tests.refresh.callers import Fleet
from tests.waiting import eventually

PAGE = DOCS / "guides" / "asyncio.md"

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)


@pytest.fixture
def modules(page_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's files, where they can be imported."""
    for name in ("service.py", "job.py"):
        (page_folder / name).write_text(file_of(PAGE, name))
        monkeypatch.delitem(sys.modules, name.removesuffix(".py"), raising=False)
    monkeypatch.syspath_prepend(page_folder)
    return page_folder


@pytest.mark.usefixtures("modules")
def test_a_hundred_coroutines_make_one_request(fleet: Fleet) -> None:
    fleet.zoho.configure(delay=0.3)
    users = [fleet.stored()["user_name"] for _ in range(2)]

    names = asyncio.run(import_module("job").company_names(users * 50))
    import_module("service").store.close()

    assert set(names) == {"Organization 10001"}
    assert fleet.zoho.count("refresh") == len(users)


def test_the_service(fleet: Fleet, modules: Path) -> None:
    good, over = fleet.stored(), fleet.stored(refresh_token=None)
    log = modules / "log"
    command = [sys.executable, "-m", *shlex.split(file_of(PAGE, "", language="sh")), "--port=0"]
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            cwd=modules,
            env={**os.environ, "PYTHONPATH": f"{site_folder(modules)}:{modules}"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        assert eventually(lambda: "running on" in log.read_text(), 60), log.read_text()
        [address] = re.findall(r"running on (http://\S+)", log.read_text())
        with urlopen(f"{address}/organization/{quote(good['user_name'])}", timeout=60) as answer:  # noqa: S310
            assert answer.read() == b'"Organization 10001"'
        with pytest.raises(HTTPError, match="401") as refused:
            urlopen(f"{address}/organization/{quote(over['user_name'])}", timeout=60)  # noqa: S310
        refused.value.close()
    finally:
        end(process, 30)
