"""``zoho-mongo-store demo``: shows what the store does, step by step, on this machine."""

import re
import signal
import sys
import time
from types import FrameType

import typer

_TOKEN = re.compile(r"1000\.[0-9a-f.]+")
_INTERRUPTED = 130


def demo() -> None:
    """See the store at work with the real SDK: login, API calls, refresh, revocation.

    Everything runs on this machine: MongoDB (a replica set of one that the demo starts or, if
    ZOHO_MONGO_URI is set, a new database on yours), a loopback Zoho, and several processes with the
    SDK. Nothing is left behind. If a step does not do what it says, the demo prints the reason and
    exits with status 1.
    """
    start = time.monotonic()
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _end)
    try:
        from zoho_mongo_store.commands.demo.scenario import play
        from zoho_mongo_store.commands.demo.scene import Scene
        from zoho_mongo_store.commands.demo.screen import Screen
        from zoho_mongo_store.commands.demo.stage import Stage

        screen = Screen()
        with Stage() as stage:
            screen.opening(stage.mongodb, f"loopback, {stage.zoho.url}")
            play(Scene(stage, screen))
        screen.closing(time.monotonic() - start)
    except KeyboardInterrupt:
        _say("interrupted")
        raise typer.Exit(_INTERRUPTED) from None
    except Exception as error:
        _say(str(error) or type(error).__name__)
        raise typer.Exit(1) from None


def _end(number: int, _: FrameType | None) -> None:
    """Exit as after an error, so that everything is cleaned up."""
    sys.exit(128 + number)


def _say(reason: str) -> None:
    """Write one line to standard error, without any token."""
    lines = reason.strip().splitlines()
    line = lines[0] if len(lines) == 1 else f"{lines[0]} ... {lines[-1]}"
    typer.echo(f"zoho-mongo-store demo: {_TOKEN.sub('1000.****', line)}", err=True)
