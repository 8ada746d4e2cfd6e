"""Runs commands by the program's entry point, one after the other, in a process of its own.

A process for each command would do the same, and take a second each.
"""

import json
import sys

from zoho_mongo_store.cli import main

SEPARATOR = b"\x1e"


def run(arguments: list[str]) -> int:
    """The status of one command."""
    sys.argv = ["zoho-mongo-store", *arguments]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    for command in json.loads(sys.argv[1]):
        status = run(command)
        sys.stdout.flush()
        sys.stdout.buffer.write(SEPARATOR + str(status).encode() + SEPARATOR)
