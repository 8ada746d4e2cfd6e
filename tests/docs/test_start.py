"""start/ten-lines.md, typed in two terminals; README.md has the same commands."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, README, ROOT, Block, blocks
from tests.docs.reader import assert_shown
from tests.processes import end
from tests.waiting import eventually
from zoho_mongo_store.testing import LoopbackZoho

PAGE = DOCS / "start" / "ten-lines.md"
RUN_HERE = [block for block in blocks(PAGE.read_text()) if "test_start.py" in block.before]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what the page uses of a checkout."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").touch()
    return tmp_path


@pytest.fixture
def environment() -> dict[str, str]:
    """That of a terminal, with the virtual environment's programs."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ZOHO_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**inherited, "PATH": path, "COLUMNS": "200"}


@pytest.fixture
def servers(checkout: Path, environment: dict[str, str]) -> Iterator[None]:
    """What the page's first command starts."""
    log = checkout / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            ["/bin/bash", "-c", f"exec {RUN_HERE[0].text}"],
            cwd=checkout,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        assert eventually(lambda: "In another terminal" in log.read_text(), 60), log.read_text()
        yield
    finally:
        end(process, 30)


@pytest.mark.usefixtures("servers")
def test_the_first_login(checkout: Path, environment: dict[str, str]) -> None:
    log_in, output, program, look, examine = RUN_HERE[1:]

    first = type_in(log_in, checkout, environment)
    again = type_in(log_in, checkout, environment)
    variables = f". ./loopback.env\n{look.text}"
    listed = type_in(look._replace(text=variables), checkout, environment)
    examined = type_in(
        examine._replace(text=f". ./loopback.env\n{examine.text}"), checkout, environment
    )

    assert_shown(output.text, first, PAGE.name)
    assert again == first
    assert (ROOT / "examples" / "quickstart.py").read_text().endswith(f'"""\n\n{program.text}')
    assert [line.split("\t")[0] for line in listed.splitlines()] == ["ada@example.com:10001"]
    assert "authentication" in examined
    assert "failed" not in examined
    [url] = [
        line.partition("=")[2]
        for line in (checkout / "loopback.env").read_text().splitlines()
        if "ZOHO_URL" in line
    ]
    assert LoopbackZoho.at(url).count("grant") == 1


def type_in(block: Block, folder: Path, environment: dict[str, str]) -> str:
    """Run a block in a terminal of its own; what it prints."""
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", block.text],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_readme_has_the_same_commands() -> None:
    typed = {line for block in RUN_HERE for line in block.text.splitlines()}
    shorter = [block for block in blocks(README.read_text()) if "test_start.py" in block.before]

    assert len(shorter) == 2
    assert {line for block in shorter for line in block.text.splitlines()} <= typed
