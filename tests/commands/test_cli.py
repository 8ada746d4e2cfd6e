"""The entry point itself."""

import sys
from pathlib import Path

from tests.commands.running import COMMAND, run
from zoho_mongo_store import __version__


def test_version(tmp_path: Path) -> None:
    finished = run(str(COMMAND), "--version", folder=tmp_path)
    assert (finished.status, finished.output, finished.errors) == (0, f"{__version__}\n", "")


def test_help_names_the_commands(tmp_path: Path) -> None:
    finished = run(str(COMMAND), "--help", folder=tmp_path)
    assert (finished.status, finished.errors) == (0, "")
    assert " demo " in finished.output


def test_without_its_extra_it_says_how_to_get_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['typer'] = None; from zoho_mongo_store.cli import main; main()"
    finished = run(sys.executable, "-c", code, "--help", folder=tmp_path)
    assert (finished.status, finished.output) == (2, "")
    assert finished.errors == (
        "zoho-mongo-store needs an extra: pip install 'zoho-mongo-store[cli]'\n"
    )


def test_help_loads_no_server(tmp_path: Path) -> None:
    code = (
        "import atexit, sys; from zoho_mongo_store.cli import main; "
        "servers = {'werkzeug', 'zoho_mongo_store.testing'}; "
        "atexit.register(lambda: print(sorted(servers & set(sys.modules)))); "
        "sys.argv = ['zoho-mongo-store', 'demo', '--help']; main()"
    )
    finished = run(sys.executable, "-c", code, folder=tmp_path)
    assert finished.status == 0
    assert finished.output.endswith("\n[]\n")
