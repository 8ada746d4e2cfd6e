"""Keeps using the stored token if Zoho refuses the login that was to replace it."""

import logging
from collections.abc import Callable
from datetime import timedelta

from zoho_mongo_store.model.document import Document
from zoho_mongo_store.model.login_state import is_login_required
from zoho_mongo_store.refresh.held_lease import HeldLease
from zoho_mongo_store.refresh.lease import Failure
from zoho_mongo_store.refresh.outcome import Brought
from zoho_mongo_store.refresh.progress import Progress

logger = logging.getLogger("zoho_mongo_store")


def fall_back(
    progress: Progress,
    held: HeldLease,
    reason: Failure,
    duration: timedelta,
    refresh: Callable[[Document], Document | None],
) -> Brought | None:
    """Keep using the stored token that a login was to replace.

    The stored token remembers the refused credential, so the fleet asks Zoho about it only once.

    Args:
        progress: The attempt to log in.
        held: Its lease.
        reason: Why Zoho refused the login.
        duration: How long that request took.
        refresh: Refreshes a stored token; returns ``None`` if that fails.

    Returns:
        The stored token, or ``None`` if there is none or it does not work either.

    Raises:
        Interrupted: The request was given up.
    """
    task, tokens = progress.task, progress.site.tokens
    replaced = progress.write(lambda: tokens.find_replaced(task.fields))
    if replaced is None or is_login_required(replaced):
        return None
    working = replaced if progress.newer(replaced) is not None else refresh(replaced)
    if working is None:
        return None
    id = working["id"]
    remembered = progress.write(lambda: tokens.remember_credentials(id, task.fields))
    held.release()
    progress.count("refused")
    progress.tell("refresh_refused", task.fields, reason.message, duration, held.attempt)
    text = "Zoho refused the new login of %s: %s; the stored token stays in use"
    logger.warning(text, task.name, reason.message)
    return Brought(remembered or working)
