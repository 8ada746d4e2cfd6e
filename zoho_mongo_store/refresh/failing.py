"""What follows if Zoho gave no access token."""

import logging
from datetime import timedelta

from zoho_mongo_store.errors import without
from zoho_mongo_store.events import EventName
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.login_state import login_required_fields
from zoho_mongo_store.redemption import Redemption
from zoho_mongo_store.refresh.held_lease import HeldLease
from zoho_mongo_store.refresh.known import asked_again, late
from zoho_mongo_store.refresh.lease import Failure
from zoho_mongo_store.refresh.outcome import Failed, Outcome
from zoho_mongo_store.refresh.progress import Progress
from zoho_mongo_store.refresh.refusals import Refusal, classify, explained, login_again
from zoho_mongo_store.sdk import REFUSED, UNREACHED, SDKException

logger = logging.getLogger("zoho_mongo_store")

_LONGEST_MESSAGE = 300


def reason_of(progress: Progress, held: HeldLease, error: Exception) -> Failure:
    """Work out what a failed request means."""
    redemption, before = progress.task.redemption, held.lease.failure
    text = error.error_message if isinstance(error, SDKException) else str(error)
    message = without(progress.task.secrets, text or type(error).__name__)[:_LONGEST_MESSAGE]
    if not isinstance(error, SDKException) or error.code != REFUSED:
        return Failure(UNREACHED, message, refused=False)
    refusal = classify(redemption, text)
    if refusal is not Refusal.LASTING:
        return Failure(REFUSED, explained(refusal, message), refused=True)
    # A grant token is valid for minutes, so its refusal needs no confirmation.
    confirmed = redemption is Redemption.GRANT or (before is not None and before.lasting)
    message = login_again(redemption, message) if confirmed else explained(refusal, message)
    return Failure(REFUSED, message, True, lasting=True, login_required=confirmed)


def fail(
    progress: Progress,
    held: HeldLease,
    stored: Document | None,
    reason: Failure,
    duration: timedelta,
) -> Outcome:
    """End the lease with the failure, and mark the stored token if its login is over.

    Args:
        progress: The attempt.
        held: Its lease.
        stored: The token as it was stored before Zoho was asked.
        reason: Why there is no access token.
        duration: How long the request took.

    Returns:
        The failure, or the token that another process has obtained in the meantime.
    """
    moment = progress.clock()
    is_over = _is_login_over(progress, stored, reason)
    marked: bool | None = None
    if is_over and stored is not None:
        # Before the lease ends: nobody may find the lease free and the token unmarked.
        required = login_required_fields(stored, progress.task.request, reason.message, moment)
        tokens = progress.site.tokens
        marked = progress.write(lambda: tokens.begin_login_required(stored, required))
    ends = held.fail(reason, moment, is_marked=marked is not None)
    if ends is None:
        newer = progress.write(lambda: progress.newer(progress.stored()))
        if newer is not None:
            return late(progress, newer)
    _report(progress, held, stored, reason, duration)
    if marked or (is_over and stored is None):
        progress.tell("login_required", stored or progress.task.fields, reason.message)
    if reason.login_required:
        return Failed(reason.code, reason.message, None)
    rest = timedelta(0) if ends is None else ends - moment
    return Failed(reason.code, asked_again(reason.message, rest), rest)


def _is_login_over(progress: Progress, stored: Document | None, reason: Failure) -> bool:
    """Whether the user has to log in again.

    A refused grant token says nothing about a refresh token that is already stored.
    """
    return reason.login_required and (
        progress.task.redemption is Redemption.REFRESH or "refresh_token" not in (stored or {})
    )


def _report(
    progress: Progress,
    held: HeldLease,
    stored: Document | None,
    reason: Failure,
    duration: timedelta,
) -> None:
    task = progress.task
    progress.count("refused" if reason.refused else "unreachable")
    logger.warning("Zoho gave no access token for %s: %s", task.name, reason.message)
    name: EventName = "refresh_refused" if reason.refused else "refresh_unreachable"
    progress.tell(name, stored or task.fields, reason.message, duration, held.attempt)
