"""Where the SDK keeps the fields of modules of an application that does not say."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zoho_mongo_store.login import ZohoLogin
from zoho_mongo_store.sdk import current_initializer
from zoho_mongo_store.testing import fresh_sdk, mock_store

PROGRAM = """
import os, sys
from zoho_mongo_store.login import ZohoLogin
from zoho_mongo_store.sdk import current_initializer
from zoho_mongo_store.testing import mock_store

with mock_store() as store:
    ZohoLogin("id", "secret", "https://portal.example/callback").initialize(store)
    folder = current_initializer().resource_path
    child = os.fork()
    if child == 0:
        sys.exit()  # with the exit handlers, as a gunicorn worker does
    os.waitpid(child, 0)
    print(os.path.isdir(folder), folder)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_temporary_folder_that_ends_with_its_process(tmp_path: Path) -> None:
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    work.mkdir()
    temporary.mkdir()

    said = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=work,
            env={**os.environ, "TMPDIR": str(temporary)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]

    assert [lasts for lasts, _ in said] == ["True", "True"]
    assert len({folder for _, folder in said}) == 2
    assert {Path(folder).parent for _, folder in said} == {temporary}
    assert [*work.iterdir(), *temporary.iterdir()] == []


def test_the_folder_of_an_application_that_says(tmp_path: Path) -> None:
    with fresh_sdk(), mock_store() as store:
        login = ZohoLogin("id", "secret", "https://portal.example/callback")
        login.initialize(store, resource_path=str(tmp_path))

        initialized: Any = current_initializer()
        assert initialized.resource_path == str(tmp_path)
