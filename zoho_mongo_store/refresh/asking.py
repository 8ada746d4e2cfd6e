"""Asks Zoho for a new access token and for its user, while the lease is held."""

import logging
from typing import Any

from zoho_mongo_store.errors import without
from zoho_mongo_store.model.document import Document, expires_in_of, expiry_date
from zoho_mongo_store.model.token import to_document
from zoho_mongo_store.refresh.background import Call
from zoho_mongo_store.refresh.exchange import Exchange, silence
from zoho_mongo_store.refresh.held_lease import HeldLease
from zoho_mongo_store.refresh.progress import Interrupted, Progress
from zoho_mongo_store.sdk import (
    REFUSED,
    SDKException,
    UserSignature,
    lifetime,
    take_answer,
    token_request,
    user_name_of,
    using,
)

logger = logging.getLogger("zoho_mongo_store")


def ask(progress: Progress, held: HeldLease) -> Document:
    """Send the request, and read Zoho's answer into the token's fields.

    Raises:
        Interrupted: The request was given up.
        SDKException: With the code ``REFUSED``: Zoho answered without an access token.
        Exception: There was no answer, or an unusable one.
    """
    return _read(progress, _send(progress, held))


def look_up_user(progress: Progress, held: HeldLease) -> Document:
    """Ask Zoho which user the new token belongs to, within the timeout of a request.

    Returns:
        The field ``user_name``. Empty if Zoho did not say or the request was given up: the new
        token is stored in any case.
    """
    token, initializer = progress.task.token, progress.task.initializer

    def look_up() -> str | None:
        with using(initializer):
            return user_name_of(token)

    call = Call(look_up)
    try:
        if not held.wait_for(call, _timeout(progress)):
            raise TimeoutError("Zoho did not answer in time")
        name = call.result()
    except Exception as error:
        reason = without(progress.task.secrets, str(error) or type(error).__name__)
        logger.warning("Could not look up the user of a new token: %s", reason)
        return {}
    if not name:
        return {}
    token.set_user_signature(UserSignature(name))
    return {"user_name": name}


def _timeout(progress: Progress) -> float:
    return progress.site.policy.request_timeout.total_seconds()


def _send(progress: Progress, held: HeldLease) -> Any:
    """Send the request, and hold the lease until it has ended."""
    task, timeout = progress.task, _timeout(progress)
    exchange = Exchange(task.url, token_request(task.token, task.redemption), timeout)
    if held.has_run_out:
        raise Interrupted
    call = Call(exchange.send)
    try:
        if not held.wait_for(call, timeout):
            raise silence(timeout)
    finally:
        exchange.abort()
    return call.result()


def _read(progress: Progress, answer: Any) -> Document:
    answered_at = progress.clock()
    token = progress.task.token
    with using(progress.task.initializer):
        take_answer(token, answer)
    fields = to_document(token)
    if "access_token" not in fields:
        # The SDK accepts an empty access token (parse_response).
        raise SDKException(REFUSED, "Zoho's answer has an empty access token")
    # The SDK counts from this host's clock; the store counts from the server's.
    died_at = int(expires_in_of(answered_at)) + lifetime(answer)
    return {**fields, "expiry_time": expiry_date(died_at)}
