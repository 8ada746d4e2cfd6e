"""Reading a callback: the state, and what Zoho refused."""

import hmac
from typing import Any

import pytest

from zoho_mongo_store.login import AccessDeniedError, CallbackError, InvalidStateError
from zoho_mongo_store.login.callback import code_of


def test_the_grant_token_of_a_callback_with_the_right_state() -> None:
    assert code_of({"code": "1000.code", "state": "s3cret"}, "s3cret") == "1000.code"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("forged", "s3cret"),
        ("s3cre", "s3cret"),
        ("s3cret", ""),
        ("", ""),
        ("", "s3cret"),
        (None, "s3cret"),
        ("s3cret", None),
        (None, None),
        ("s3crét", "s3cret"),
        ("\udcff", "s3cret"),
    ],
)
def test_refuses_another_state(given: str | None, expected: str | None) -> None:
    state = {} if given is None else {"state": given}

    with pytest.raises(InvalidStateError) as refused:
        code_of({"code": "1000.code", **state}, expected)
    assert "1000.code" not in str(refused.value)


def test_compares_the_state_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, ...]] = []

    def compare(*texts: bytes) -> bool:
        compared.append(texts)
        return True

    monkeypatch.setattr(hmac, "compare_digest", compare)

    code_of({"code": "1000.code", "state": "given"}, "expected")

    assert compared == [(b"given", b"expected")]


@pytest.mark.parametrize("state", [{}, {"state": "s3cret"}])
def test_tells_that_the_user_rejected(state: dict[str, str]) -> None:
    with pytest.raises(AccessDeniedError) as refused:
        code_of({"error": "access_denied", **state}, "s3cret")
    assert refused.value.error == "access_denied"


def test_believes_no_rejection_with_another_state() -> None:
    with pytest.raises(InvalidStateError):
        code_of({"error": "access_denied", "state": "forged"}, "s3cret")


def test_tells_what_else_zoho_refused() -> None:
    with pytest.raises(CallbackError, match="invalid_scope") as refused:
        code_of({"error": "invalid_scope", "state": "s3cret"}, "s3cret")
    assert (type(refused.value), refused.value.error) == (CallbackError, "invalid_scope")


@pytest.mark.parametrize("error", ["<script>", "a" * 51, "x\ny"])
def test_repeats_no_text_of_the_request(error: str) -> None:
    with pytest.raises(CallbackError) as refused:
        code_of({"error": error, "state": "s3cret"}, "s3cret")
    assert error not in str(refused.value)
    assert refused.value.error is None


@pytest.mark.parametrize("code", [{}, {"code": ""}])
def test_a_callback_without_a_grant_token(code: dict[str, str]) -> None:
    with pytest.raises(CallbackError, match="no grant token"):
        code_of({"state": "s3cret", **code}, "s3cret")


def test_a_url_is_no_parameters() -> None:
    url: Any = "https://portal.example/callback?code=1000.code&state=s3cret"

    with pytest.raises(TypeError, match="request's query parameters") as refused:
        code_of(url, "s3cret")
    assert "1000.code" not in str(refused.value)
