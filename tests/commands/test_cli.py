"""The entry point itself."""

import platform
import sys
from pathlib import Path

import pymongo
import pytest

from tests.commands.running import COMMAND, run
from zoho_mongo_store import __version__


def test_version(tmp_path: Path) -> None:
    finished = run(str(COMMAND), "--version", folder=tmp_path)
    assert (finished.status, finished.errors) == (0, "")
    lines = finished.output.splitlines()
    assert lines[0] == f"zoho-mongo-store {__version__}"
    assert {f"Python {platform.python_version()}", f"pymongo {pymongo.version}"} < set(lines)
    assert sum(line.startswith("zohocrmsdk") for line in lines) == 1


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_the_commands(tmp_path: Path, option: str) -> None:
    finished = run(str(COMMAND), option, folder=tmp_path)
    assert (finished.status, finished.errors) == (0, "")
    named = [line.split()[1] for line in finished.output.splitlines() if line.startswith("│ ")]
    assert {"list", "demo"} < set(named)
    assert named.index("import") == named.index("export") - 1


def test_every_command_has_the_short_option_for_its_help(tmp_path: Path) -> None:
    for command, usage in (("import mysql", "[OPTIONS]"), ("delete", "[OPTIONS] [ID]...")):
        finished = run(str(COMMAND), *command.split(), "-h", folder=tmp_path)
        assert (finished.status, finished.errors) == (0, "")
        assert f" zoho-mongo-store {command} {usage} " in finished.output


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("lst", "zoho-mongo-store: No such command 'lst'. Did you mean 'list'?"),
        ("import csv", "zoho-mongo-store import: No such command 'csv'."),
        ("list --xyz", "zoho-mongo-store list: No such option: --xyz"),
        ("purge", "zoho-mongo-store purge: Missing option '--idle-for'."),
        ("show", "zoho-mongo-store show: give either an id or --user"),
        (
            "export --format xml",
            "zoho-mongo-store export: Invalid value for '--format': 'xml' is not one of 'jsonl', "
            "'filestore'.",
        ),
        ("show 1 --user ada", "zoho-mongo-store show: give either an id or --user"),
    ],
)
def test_a_usage_error_is_two_lines(tmp_path: Path, arguments: str, error: str) -> None:
    finished = run(str(COMMAND), *arguments.split(), folder=tmp_path)
    command = error.partition(":")[0]
    assert (finished.status, finished.output) == (2, "")
    assert finished.errors == f"{error}\nTry '{command} --help' for help.\n"


def test_what_a_library_warns_of_is_one_line(tmp_path: Path) -> None:
    code = (
        "import sys, warnings; import zoho_mongo_store.commands.versions as versions; "
        "from zoho_mongo_store.cli import main; "
        "versions.installed_versions = lambda: warnings.warn('mind\\nthis') or {}; "
        "sys.argv = ['zoho-mongo-store', '--version']; main()"
    )
    finished = run(sys.executable, "-c", code, folder=tmp_path)
    assert (finished.status, finished.errors) == (0, "zoho-mongo-store: warning: mind this\n")


def test_the_shell_completes_commands_and_options(tmp_path: Path) -> None:
    def complete(words: str) -> set[str]:
        asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        variables = {"_ZOHO_MONGO_STORE_COMPLETE": "complete_bash", **asked}
        return set(run(str(COMMAND), folder=tmp_path, **variables).output.split())

    assert complete("zoho-mongo-store re") == {"refresh", "revoke"}
    assert {"--user", "--yes", "--json"} < complete("zoho-mongo-store revoke --")


def test_without_its_extra_it_says_how_to_get_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['typer'] = None; from zoho_mongo_store.cli import main; main()"
    finished = run(sys.executable, "-c", code, "--help", folder=tmp_path)
    assert (finished.status, finished.output) == (2, "")
    assert finished.errors == (
        "the command line is not installed: run pip install 'zoho-mongo-store[cli]'\n"
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
