"""The examples on ``loopback.py``, as docs/guides/login.md and docs/guides/asyncio.md show them."""

import os
import shlex
import sys
from pathlib import Path

from tests.docs.pages import DOCS, file_of
from tests.examples.portal.site import ADA, EXAMPLES, PORTAL, free_address, running, wait_for_answer
from tests.examples.portal.test_sharing import Client
from tests.faults.gunicorn_server import options_of_this_gunicorn
from tests.waiting import eventually
from zoho_mongo_store.testing import LoopbackZoho


def test_the_portal_on_loopback(tmp_path: Path) -> None:
    env, url = tmp_path / "loopback.env", free_address()
    said = tmp_path / "loopback.log"
    loopback = [sys.executable, str(EXAMPLES / "loopback.py")]
    with running(loopback, dict(os.environ), said, tmp_path):
        assert eventually(lambda: "another terminal" in said.read_text(), 90), said.read_text()
        words = shlex.split(env.read_text())
        variables = dict(word.split("=", 1) for word in words if word != "export")
        command = [sys.executable, "-m", "gunicorn", "-c", str(PORTAL)]
        command += ["--bind", url.removeprefix("http://"), *options_of_this_gunicorn()]
        log = tmp_path / "portal.log"
        with running(command, {**os.environ, **variables}, log, tmp_path):
            wait_for_answer(url, log)
            user = Client(url)
            user.log_in(LoopbackZoho.at(variables["ZOHO_URL"]), ADA)
            assert "Mary Jackson" in user.get("/")[1]

        page = file_of(DOCS / "guides" / "asyncio.md", "in another terminal", language="sh")
        url, log = free_address(), tmp_path / "api.log"
        [shown] = [line for line in page.splitlines() if line.startswith("uvicorn")]
        command = [sys.executable, "-m", *shlex.split(shown, comments=True)]
        command[command.index("examples")] = str(EXAMPLES)
        command += ["--port", url.rpartition(":")[2]]
        with running(command, {**os.environ, **variables}, log, tmp_path):
            wait_for_answer(url, log)
            user = Client(url)
            user.log_in(LoopbackZoho.at(variables["ZOHO_URL"]), ADA)
            assert "Mary Jackson" in user.get("/contacts")[1]
    assert not env.exists()
