"""Stands in for a program that installs something or needs a server: checks what it is told.

    python -m tests.docs.stand_in PROGRAM ARGUMENT...

It ends with 1, and says why, where the real one would.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.project import EXTRAS, URLS

ROOT = Path(__file__).parents[2]
COMPOSE = (["up", "-d", "--wait"], ["down"], ["down", "--volumes"])


def pip(arguments: list[str]) -> str | None:
    """Installs requirements: the project's own extras have to exist."""
    if arguments[:1] != ["install"]:
        return "only install is known"
    for requirement in (one for one in arguments[1:] if not one.startswith("-")):
        match = re.fullmatch(r"(\.|[\w.-]+)(?:\[([\w,-]+)])?((?: @ .+|[=<>~!]=?.+)?)", requirement)
        if not match:
            return f"{requirement} is no requirement"
        if match[1] in (".", "zoho-mongo-store") and match[2]:
            unknown = set(match[2].split(",")) - EXTRAS
            if unknown:
                return f"there is no extra {', '.join(unknown)}"
    return None


def make(arguments: list[str]) -> str | None:
    """Makes targets, which have to exist."""
    command = ["make", "--dry-run", "--directory", str(ROOT), *arguments]
    done = subprocess.run(
        command, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    return done.stderr if done.returncode else None


def docker(arguments: list[str]) -> str | None:
    """Starts and ends what docker-compose.yml describes."""
    known = arguments[:1] == ["compose"] and arguments[1:] in COMPOSE
    return None if known else f"docker {' '.join(arguments)} is not what the compose file is for"


def kubectl(arguments: list[str]) -> str | None:
    """Applies a manifest."""
    if arguments[:2] != ["apply", "-f"]:
        return "only apply -f is known"
    objects = list(yaml.safe_load_all(Path(arguments[2]).read_text()))
    return None if all("kind" in one for one in objects) else "an object without a kind"


def git(arguments: list[str]) -> str | None:
    """Clones the project."""
    if arguments[:1] != ["clone"] or arguments[1] != URLS["Source"]:
        return f"git {' '.join(arguments)} does not clone this project"
    Path(arguments[1].rpartition("/")[2]).mkdir()
    return None


def python(arguments: list[str]) -> str | None:
    """Makes a virtual environment, of nothing; all else is for the real one."""
    if arguments[:2] == ["-m", "venv"]:
        folder = Path(arguments[2], "bin")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "activate").touch()
        return None
    if arguments[:1] == ["-m"] and arguments[1:2] in (["pytest"], ["benchmarks.failover"]):
        # What measures a fault takes minutes: the test-suite runs it at a smaller size.
        named = [one for one in arguments if one.startswith("tests/")]
        missing = [one for one in named if not (ROOT / one).exists()]
        return f"there is no {', '.join(missing)}" if missing else None
    return os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - for good


PROGRAMS: dict[str, Callable[[list[str]], str | None]] = {
    "pip": pip,
    "make": make,
    "docker": docker,
    "kubectl": kubectl,
    "git": git,
    "python": python,
    "python3": python,
}

if __name__ == "__main__":
    sys.exit(PROGRAMS[sys.argv[1]](sys.argv[2:]))
