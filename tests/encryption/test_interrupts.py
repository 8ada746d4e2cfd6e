"""A signal that comes while MongoDB's library computes: it does so in functions of Python's."""

from collections.abc import Callable
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


def interrupt(patch: pytest.MonkeyPatch, error: BaseException, after: int = 0) -> None:
    """Let a signal's handler raise ``error`` in the library's computing, the first times not."""
    read, calls = crypto._to_bytes, iter(range(after))

    def interrupted(value: Any) -> bytes:
        if next(calls, None) is None:
            raise error
        return bytes(read(value))

    patch.setattr(crypto, "_to_bytes", interrupted)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), SystemExit("bye")])
def test_it_ends_a_find_and_a_save(
    stored: tuple[MongoTokenStore, str], error: BaseException
) -> None:
    store, id = stored
    before = list(store.collection.find())
    operations: list[Callable[[], object]] = [
        lambda: store.find_token_by_id(id),
        lambda: store.save_token(full(access_token="1000.new")),
    ]
    for operation in operations:
        with pytest.MonkeyPatch.context() as patch:
            interrupt(patch, error)
            with pytest.raises(type(error)) as caught:
                operation()
        assert caught.value.args == error.args
    assert list(store.collection.find()) == before
    assert contents(store.find_token_by_id(id)) == contents(full(id=id))


def test_what_another_handler_raises_is_not_taken_for_damage(
    stored: tuple[MongoTokenStore, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, id = stored
    interrupt(monkeypatch, TimeoutError("the task's time is up"))
    with fails("the encryption did not finish: TimeoutError was raised in it") as caught:
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
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, KeyboardInterrupt(), after)
        with pytest.raises(KeyboardInterrupt):
            command(store.collection, encryption)

    command(store.collection, encryption)

    if command is decrypt_collection:
        encrypt_collection(store.collection, encryption)
    check_all_found(make_store(), 6)
