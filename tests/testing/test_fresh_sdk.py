"""An SDK that nobody has used."""

import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.tokens import make_token
from zoho_mongo_store.sdk import Initializer
from zoho_mongo_store.testing import LoopbackZoho, fresh_sdk, mock_store

LOG = logging.getLogger("SDKLogger")


def initialize(folder: Path, log: Path | None = None) -> None:
    from importlib import import_module

    logger: Any = import_module("zohocrmsdk.src.com.zoho.api.logger").Logger
    Initializer.initialize(
        environment=LoopbackZoho.at("http://127.0.0.1:9").environment(),
        token=make_token(access_token="1000.a"),
        store=mock_store(),
        resource_path=str(folder),
        logger=None if log is None else logger.get_instance(logger.Levels.INFO, str(log)),
    )


def test_is_not_initialized_in_the_block_and_as_it_was_afterwards(tmp_path: Path) -> None:
    with fresh_sdk():
        initialize(tmp_path)
        outer = Initializer.get_initializer()
        assert outer is not None
        with fresh_sdk():
            assert Initializer.get_initializer() is None
            initialize(tmp_path)
            assert Initializer.get_initializer() is not outer
        assert Initializer.get_initializer() is outer


def test_is_as_it_was_after_an_error(tmp_path: Path) -> None:
    before = Initializer.get_initializer()

    def fail() -> None:
        with fresh_sdk():
            initialize(tmp_path)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert Initializer.get_initializer() is before


def test_holds_for_new_threads(tmp_path: Path) -> None:
    seen: list[object] = []
    with fresh_sdk():
        initialize(tmp_path)
        initializer = Initializer.get_initializer()
        with fresh_sdk():
            thread = threading.Thread(target=lambda: seen.append(Initializer.get_initializer()))
            thread.start()
            thread.join()
    assert initializer is not None
    assert seen == [None]


def test_closes_the_files_that_the_sdk_was_told_to_log_to(tmp_path: Path) -> None:
    handlers, disabled = list(LOG.handlers), LOG.disabled
    with fresh_sdk():
        assert LOG.disabled
        initialize(tmp_path, log=tmp_path / "sdk.log")
        [handler] = set(LOG.handlers) - set(handlers)
        assert isinstance(handler, logging.FileHandler)
        stream: Any = handler.stream

    assert stream.closed
    assert (LOG.handlers, LOG.disabled) == (handlers, disabled)
