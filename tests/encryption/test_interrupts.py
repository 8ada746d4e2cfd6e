"""A signal that comes while MongoDB's library computes: it does so in functions of Python's."""

import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pymongocrypt import crypto  # type: ignore[import-untyped]

from tests.conftest import StoreMaker
from tests.encryption.users import check_all_found, save_users
from tests.failures import fails
from tests.tokens import contents, full
from zoho_mongo_store import FieldEncryption, MongoTokenStore
from zoho_mongo_store.encryption.maintenance import (
    decrypt_collection,
    encrypt_collection,
    rotate_master_key,
)


@pytest.fixture
def stored(make_store: StoreMaker) -> tuple[MongoTokenStore, str]:
    """A store with its keys in memory, and the id of a token in it."""
    store, token = make_store(), full()
    store.save_token(token)
    return store, str(token.get_id())


class TimeIsUpError(Exception):
    """What a task queue's handler raises."""


@contextmanager
def interrupted(error: BaseException, after: int = 0) -> Iterator[None]:
    """A signal comes in the library's computing, whose handler raises; the first times not."""
    read, calls = crypto._to_bytes, iter(range(after))

    def handle(*_: object) -> None:
        raise error

    def read_and_be_interrupted(value: Any) -> bytes:
        if next(calls, None) is None:
            signal.raise_signal(signal.SIGTERM)
        return bytes(read(value))

    before = signal.signal(signal.SIGTERM, handle)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(crypto, "_to_bytes", read_and_be_interrupted)
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    "error",
    [
        *(KeyboardInterrupt(), SystemExit(3), SystemExit("bye")),
        *(TimeIsUpError("60 s"), TimeoutError("up"), ValueError("what a bug raises as well")),
    ],
    ids=repr,
)
def test_what_a_handler_raises_comes_out_as_it_is(
    stored: tuple[MongoTokenStore, str], error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    store, id = stored
    before = list(store.collection.find())
    operations: list[Callable[[], object]] = [
        lambda: store.find_token_by_id(id),
        lambda: store.save_token(full(access_token="1000.new")),
    ]
    for operation in operations:
        with interrupted(error), pytest.raises(type(error)) as caught:
            operation()
        assert caught.value is error
    assert list(store.collection.find()) == before
    assert contents(store.find_token_by_id(id)) == contents(full(id=id))
    assert caplog.records == []


def test_ctrl_c_comes_out(
    stored: tuple[MongoTokenStore, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's own handler is no function of Python's."""
    monkeypatch.setattr(crypto, "_to_bytes", lambda _: signal.raise_signal(signal.SIGINT))

    with pytest.raises(KeyboardInterrupt):
        stored[0].find_token_by_id(stored[1])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), SystemExit("bye")])
def test_a_release_of_the_library_that_leaves_the_text_alone(
    stored: tuple[MongoTokenStore, str], error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, id = stored
    store.find_token_by_id(id)
    monkeypatch.setattr(crypto, "traceback", traceback)

    with interrupted(error), pytest.raises(type(error)) as caught:
        store.find_token_by_id(id)

    assert caught.value.args == error.args


def test_what_goes_wrong_in_it_is_not_taken_for_damage(
    stored: tuple[MongoTokenStore, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, id = stored

    def fail(_: Any) -> bytes:
        raise MemoryError

    monkeypatch.setattr(crypto, "_to_bytes", fail)
    with fails("the encryption did not finish: it was interrupted by MemoryError") as caught:
        store.find_token_by_id(id)
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("after", [0, 4])
@pytest.mark.parametrize("command", [encrypt_collection, decrypt_collection, rotate_master_key])
def test_it_ends_a_command_which_is_run_again(
    make_store: StoreMaker, encryption: FieldEncryption, command: Any, after: int
) -> None:
    store = make_store()
    save_users(store, 6)
    if command is encrypt_collection:
        decrypt_collection(store.collection, encryption)
    with interrupted(TimeIsUpError("60 s"), after), pytest.raises(TimeIsUpError):
        command(store.collection, encryption)

    command(store.collection, encryption)

    if command is decrypt_collection:
        encrypt_collection(store.collection, encryption)
    check_all_found(make_store(), 6)
