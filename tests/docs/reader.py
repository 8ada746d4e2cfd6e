"""A reader who does what a page says, block after block, on this machine.

Python runs in this process, the blocks of a page one after the other as one program. Shell runs in
bash, with the project's own commands as they are, and stand-ins for programs that install something
or need a server (``stand_in.py``). A block with a title is a file that the page's next blocks use.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.docs.pages import ROOT, Block, blocks, name_of, run
from tests.docs.stand_in import PROGRAMS
from zoho_mongo_store import MongoTokenStore

LEFT_OUT = re.compile(r"\*Not run by the tests: it needs .+\.\*")
ELSEWHERE = re.compile(r"<!-- Run by (tests/[\w/]+\.py)\. -->")
# What a program of a page must not reach: the stand-in for each is this machine's.
LOCAL_URIS = (
    "mongodb://zoho:local-only@127.0.0.1:27017/?replicaSet=rs0",
    "mongodb://localhost:27017",
)
CHECKS: dict[str, Callable[[str], Any]] = {
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "json": json.loads,
    "toml": tomllib.loads,
}
SITE = """\
import os, sys
sys.path.append({root!r})
if not any(one.endswith(("zoho-mongo-store", "stand_in")) for one in sys.orig_argv):
    from tests.docs.data_centers import lead_to
    from zoho_mongo_store.testing import LoopbackZoho
    lead_to(LoopbackZoho.at(os.environ["ZOHO_URL"]).environment, setattr)
"""
TIMEOUT = 120


class Reader:
    """Runs the blocks of one page in a folder of its own.

    Args:
        page: The page.
        folder: An empty folder, the working directory meanwhile.
        uri: Of a MongoDB, with a database of the page's own.
    """

    def __init__(self, page: Path, folder: Path, uri: str) -> None:
        self._page = page
        self._folder = folder
        self._uri = uri
        self._tools = site_folder(folder)
        self.names: dict[str, Any] = {"__name__": "page"}
        self.ran: list[Block] = []
        self._output = ""
        self._set_up()

    def read(self) -> None:
        """Run all blocks."""
        for block in blocks(self._page.read_text()):
            self._do(block)

    def close(self) -> None:
        """Close the page's stores, and forget its modules."""
        for value in self.names.values():
            if isinstance(value, MongoTokenStore):
                value.close()
        for block in self.ran:
            sys.modules.pop(block.title.removesuffix(".py"), None)

    def _do(self, block: Block) -> None:
        place = f"{name_of(self._page)}, line {block.line}"
        if elsewhere := ELSEWHERE.fullmatch(block.before.strip()):
            test = ROOT / elsewhere[1]
            assert test.is_file(), f"{place}: there is no {elsewhere[1]}"
            assert self._page.name in test.read_text(), f"{place}: {elsewhere[1]} does not read it"
            return
        text = block.text
        for uri in LOCAL_URIS:
            text = text.replace(uri, self._uri)
        left_out = bool(LEFT_OUT.fullmatch(block.before.strip()))
        if block.title:
            (self._folder / block.title).write_text(text)
        if block.language == "python":
            # The lines of a traceback are those of the page.
            program = "\n" * (block.line - 1) + text
            compile(program, str(self._page), "exec")
            if not left_out and not block.title:
                run(program, self._page, self.names)
        elif block.language == "sh":
            self._shell(text, place, only_parse=left_out)
        elif block.language == "text":
            assert_shown(text, self._output, place)
        elif not block.title and not left_out:
            assert block.language in CHECKS, f"{place}: nothing runs {block.language!r}"
        if block.language in CHECKS:
            CHECKS[block.language](text)
        self.ran.append(block)

    def _shell(self, text: str, place: str, *, only_parse: bool) -> None:
        flags = ["-n"] if only_parse else ["-euo", "pipefail"]
        environment = {
            **os.environ,
            "PATH": f"{self._tools}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{self._tools}:{ROOT}",
            "COLUMNS": "200",
        }
        done = subprocess.run(
            ["/bin/bash", *flags],
            input=text,
            cwd=self._folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        self._output = done.stdout + done.stderr
        assert done.returncode == 0, f"{place}:\n{text}\n{self._output}"

    def _set_up(self) -> None:
        for program in PROGRAMS:
            script = self._tools / program
            script.write_text(
                f'#!/bin/sh\nexec {sys.executable} -m tests.docs.stand_in {program} "$@"\n'
            )
            script.chmod(0o755)
        # That of a checkout in which make has run.
        (self._folder / ".venv").mkdir()
        (self._folder / ".venv" / "bin").symlink_to(self._tools)


def site_folder(folder: Path) -> Path:
    """A folder for PYTHONPATH, by which a program's calls go to the Zoho at ``ZOHO_URL``."""
    site = folder / ".tools"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE.format(root=str(ROOT)))
    return site


def assert_shown(expected: str, output: str, place: str) -> None:
    """Each line that a page shows as output is a line of it, in that order; ``...`` is anything."""
    position = 0
    for line in expected.splitlines():
        pattern = r"\s+".join(re.escape(word) for word in line.split())
        pattern = pattern.replace(re.escape("..."), ".*?")
        found = re.compile(pattern).search(output, position)
        assert found, f"{place}: {line!r} is not in\n{output}"
        position = found.end()
