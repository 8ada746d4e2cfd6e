"""Write docs/reference/cli.md from the commands themselves.

    python docs/create_cli_reference.py          write it
    python docs/create_cli_reference.py --check  end with 1 if it is not up to date

A test checks it too.
"""

import argparse
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from zoho_mongo_store.cli import application

PATH = Path(__file__).parent / "reference" / "cli.md"
PROGRAM = "zoho-mongo-store"
INTRODUCTION = f"""# Command line

```sh
pip install 'zoho-mongo-store[cli]'
```

This page is made from the commands by `docs/create_cli_reference.py`;
`{PROGRAM} COMMAND --help` says the same.

A command ends with

| status | when |
|---|---|
| 0 | it did what it says |
| 1 | MongoDB, Zoho or a file failed, something was not found or is damaged, or `doctor` failed it |
| 2 | it was called in a wrong way |
| 130 | it was interrupted (Ctrl-C), but for `watch`, which ends with 0 |

An error is one line on standard error, a usage error two. Results are on standard output, with
colours on a terminal alone; `--json` writes them for programs. Dates are UTC. No secret is ever
shown, except by `export --show-secrets`. Passwords are on no command line: they are in variables,
or asked for. Before something that cannot be undone a command asks, and ends with 1 unless the
answer is yes; `--yes` answers it.

A console that is not UTF-8 may lack letters of a user's name: a table then shows their code
points, such as `\\u0410`, and JSON escapes them. What `export` writes to a file or a pipe is UTF-8.
Commands read the primary, whatever the read preference in the URI.

## Completion and versions

`{PROGRAM} --install-completion` lets bash, zsh, fish or PowerShell complete commands and options
with the Tab key, from the next shell on: it adds to the shell's own configuration.
`{PROGRAM} --show-completion bash` prints what it adds, for a package or an image.

`{PROGRAM} --version` names the versions of Python, the SDK and pymongo as well; put them into
a report of a failure.
"""
SHARED_TITLE = "## Options of every command that reaches MongoDB"
# Typer's own, on every command.
SKIPPED = {"help", "install_completion", "show_completion"}


def reference() -> str:
    """The whole page."""
    root: Any = typer.main.get_command(application())
    parts = [INTRODUCTION]
    shared: dict[str, Any] = {}
    for name, command in sorted(_commands(root)):
        own = [one for one in command.params if one.name not in SKIPPED]
        panels = {"MongoDB", "Encryption"}
        shared |= {one.name: one for one in own if _panel(one) in panels}
        parts.append(_section(name, command, [one for one in own if _panel(one) not in panels]))
    parts.insert(1, f"{SHARED_TITLE}\n\n{_options(list(shared.values()))}")
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _commands(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each command with what it is called, those of groups too."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def _section(name: str, command: Any, own: list[Any]) -> str:
    arguments = [one for one in own if one.param_type_name == "argument"]
    options = [one for one in own if one.param_type_name == "option"]
    usage = " ".join([PROGRAM, name, *(_metavar(one) for one in arguments), "[OPTIONS]"])
    parts = [f"## {name}", f"`{usage}`", inspect.cleandoc(command.help or "")]
    described = [f"- `{_metavar(one)}`: {one.help}" for one in arguments if one.help]
    if described:
        parts.append("\n".join(described))
    if options:
        parts.append(_options(options))
    return "\n\n".join(parts)


def _options(options: list[Any]) -> str:
    lines = ["| option | what it does | default | variable |", "|---|---|---|---|"]
    for one in options:
        typed = " ".join(
            [f"`{one.opts[0]}`", "" if one.is_flag else f"`{_escaped(_metavar(one))}`"]
        ).strip()
        plain = one.is_flag or one.default is None or callable(one.default) or one.required
        default = "" if plain else f"`{getattr(one.default, 'value', one.default)}`"
        default = "required" if one.required else default
        variable = f"`{one.envvar}`" if one.envvar else ""
        cells = (typed, _escaped(one.help or ""), default, variable)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _metavar(parameter: Any) -> str:
    """What stands for a parameter's value: ``FILE``."""
    if not parameter.metavar:
        raise ValueError(f"{parameter.name} has no metavar")
    return str(parameter.metavar)


def _panel(parameter: Any) -> str | None:
    panel: str | None = getattr(parameter, "rich_help_panel", None)
    return panel


def _escaped(text: str) -> str:
    """As it may stand in a cell."""
    return re.sub(r"([|<>])", r"\\\1", text)


def main() -> None:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description="Write docs/reference/cli.md from the commands.")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if out of date")
    if not parser.parse_args().check:
        PATH.write_text(reference(), encoding="utf-8")
    elif PATH.read_text(encoding="utf-8") != reference():
        sys.exit(f"{PATH.name} is out of date: run python docs/create_cli_reference.py")


if __name__ == "__main__":
    main()
