"""The sessions of the web applications, where users reach them by https."""

import os
import sys
from pathlib import Path

import pytest
import requests

from tests.examples.portal.site import (
    EXAMPLES,
    PORTAL,
    free_address,
    running,
    wait_for_answer,
)
from tests.faults.gunicorn_server import options_of_this_gunicorn

PORTAL_COMMAND = ("gunicorn", "-c", str(PORTAL), "--workers", "1", *options_of_this_gunicorn())
API_COMMAND = ("uvicorn", "--app-dir", str(EXAMPLES), "fastapi_app:app")


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("command", [PORTAL_COMMAND, API_COMMAND], ids=["flask", "fastapi"])
def test_the_session_stays_on_https(tmp_path: Path, command: tuple[str, ...], scheme: str) -> None:
    url, log = free_address(), tmp_path / "log"
    port = url.rpartition(":")[2]
    where = ("--bind", f"127.0.0.1:{port}") if command is PORTAL_COMMAND else ("--port", port)
    environment = {
        **os.environ,
        "ZOHO_CLIENT_ID": "1000.client",
        "ZOHO_CLIENT_SECRET": "secret",
        "ZOHO_REDIRECT_URL": f"{scheme}://localhost/callback",
        "FLASK_SECRET_KEY": "of the tests",
        "SESSION_SECRET_KEY": "of the tests",
    }

    with running([sys.executable, "-m", *command, *where], environment, log, tmp_path):
        wait_for_answer(url, log)
        begun = requests.get(f"{url}/login", allow_redirects=False, timeout=60)

    words = begun.headers["Set-Cookie"].lower().split("; ")
    assert ("secure" in words) is (scheme == "https")
