"""What can be answered without asking Zoho."""

import logging
import math
from datetime import datetime, timedelta

from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.login_state import (
    LOGIN_REQUIRED_REASON,
    login_required_fields,
    refused_request,
)
from zoho_mongo_store.refresh.lease import LeaseState
from zoho_mongo_store.refresh.outcome import Brought, Failed, Outcome
from zoho_mongo_store.refresh.progress import Progress
from zoho_mongo_store.sdk import REFUSED

logger = logging.getLogger("zoho_mongo_store")

_NOT_OFFLINE = (
    "the access token has expired and there is no refresh token: the user has to log in again, "
    "with access_type=offline in the authorize URL"
)
_NOTHING_TO_REDEEM = (
    "there is no stored token, and no refresh or grant token to get one: the user has to log in"
)


def known(progress: Progress, stored: Document | None) -> Outcome | None:
    """Answer from the stored token: with a newer access token, or that a login is required."""
    newer = progress.newer(stored)
    if newer is not None:
        progress.count("waited")
        logger.debug("Another caller got a new access token for %s", progress.task.name)
        return Brought(newer)
    if stored is not None and refused_request(stored) == progress.task.request:
        progress.count("login_required")
        return Failed(REFUSED, stored[LOGIN_REQUIRED_REASON], None)
    return None


def without_credential(progress: Progress) -> Outcome:
    """Answer for a token that has nothing to redeem: no request could succeed."""
    task, stored = progress.task, progress.stored()
    outcome = known(progress, stored)
    if outcome is not None:
        return outcome
    reason = _NOT_OFFLINE if task.held else _NOTHING_TO_REDEEM
    if stored is not None:
        required = login_required_fields(stored, task.request, reason, progress.clock())
        if progress.write(lambda: progress.site.tokens.begin_login_required(stored, required)):
            progress.tell("login_required", stored, reason)
    progress.count("login_required")
    return Failed(REFUSED, reason, None)


def by_lease(progress: Progress, state: LeaseState, moment: datetime) -> Failed:
    """Answer with the failure recorded in the lease, or with Zoho's limit."""
    if state.failure is None:
        message = "Zoho's limit of 10 in 10 minutes has been reached"
        return paused(progress, message, state.retry_after - moment)
    code, message = state.failure.code, state.failure.message
    if state.failure.login_required:
        progress.count("login_required")
        return Failed(code, message, None)
    return paused(progress, message, max(state.retry_after - moment, timedelta(0)), code)


def paused(progress: Progress, message: str, rest: timedelta, code: str = REFUSED) -> Failed:
    """Answer that Zoho is not asked now, and when it will be."""
    progress.count("paused")
    progress.tell("refresh_paused", progress.task.fields, message)
    logger.debug("Zoho is not asked for %s: %s", progress.task.name, message)
    return Failed(code, asked_again(message, rest), rest)


def late(progress: Progress, newer: Document) -> Brought:
    """Use the token that another process stored while this one asked Zoho."""
    progress.count("late")
    logger.warning("Another process stored a newer token for %s first", progress.task.name)
    return Brought(newer)


def asked_again(message: str, rest: timedelta) -> str:
    """Append to a message when Zoho will be asked again."""
    return f"{message}; Zoho is asked again in {max(1, math.ceil(rest.total_seconds()))} s"
