"""docs/reference/cli.md says what the commands say."""

import re
import subprocess
import sys
from pathlib import Path

from tests.commands.running import COMMAND, run
from tests.docs.pages import DOCS


def test_the_reference_is_up_to_date() -> None:
    command = [sys.executable, str(DOCS / "create_cli_reference.py"), "--check"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")


def test_it_names_every_command_and_no_other(tmp_path: Path) -> None:
    text = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    sections = set(re.findall(r"(?m)^## ([a-z][a-z -]*)$", text))
    helps = [run(str(COMMAND), *group, "--help", folder=tmp_path) for group in ([], ["import"])]
    names = [
        set(re.findall(r"(?m)^│ ([a-z][a-z-]*)  ", one.output.partition("─ Commands ")[2]))
        for one in helps
    ]
    assert sections == (names[0] - {"import"}) | {f"import {name}" for name in names[1]}
    assert len(sections) == 21
