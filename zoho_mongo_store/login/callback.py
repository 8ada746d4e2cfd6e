"""Reads the request with which Zoho sends a user back. Nothing in it is trusted."""

import hmac
import re
from collections.abc import Mapping

from zoho_mongo_store.login.callback_errors import (
    AccessDeniedError,
    CallbackError,
    InvalidStateError,
)

_ERROR = re.compile(r"[a-z_]{1,50}")


def code_of(parameters: Mapping[str, str], state: str | None) -> str:
    """Return the grant token of a callback.

    Args:
        parameters: The request's query parameters.
        state: The state that the login began with.

    Raises:
        TypeError: The parameters are not a mapping: they are the URL, for example.
        InvalidStateError: The request has a different state, or none.
        AccessDeniedError: The user pressed "Reject".
        CallbackError: Zoho refused, or there is no grant token.
    """
    if not isinstance(parameters, Mapping):
        raise TypeError(
            "callback_parameters must be the request's query parameters, such as Flask's "
            f"request.args, not {type(parameters).__name__}"
        )
    error = parameters.get("error")
    # A refusal logs nobody in, so it may come without the state.
    if not error or "state" in parameters:
        _check_state(parameters.get("state"), state)
    if error == "access_denied":
        raise AccessDeniedError("the user rejected the request on Zoho's page", error)
    if error:
        word = error if isinstance(error, str) and _ERROR.fullmatch(error) else None
        raise CallbackError(f"Zoho refused the login: {word or 'no reason given'}", word)
    code = parameters.get("code")
    if not code or not isinstance(code, str):
        raise CallbackError("the callback has no grant token (code)")
    return code


def _check_state(given: object, expected: object) -> None:
    if (
        not isinstance(given, str)
        or not isinstance(expected, str)
        or not expected
        or not hmac.compare_digest(_bytes(given), _bytes(expected))
    ):
        raise InvalidStateError("the callback's state is not the one this login began with")


def _bytes(text: str) -> bytes:
    # compare_digest accepts only ASCII in a str, and the request may contain anything.
    return text.encode(errors="surrogatepass")
