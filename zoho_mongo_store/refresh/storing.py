"""Stores the token from Zoho's answer."""

from datetime import timedelta

from zoho_mongo_store.model.document import Document
from zoho_mongo_store.redemption import Redemption
from zoho_mongo_store.refresh.asking import look_up_user
from zoho_mongo_store.refresh.held_lease import HeldLease
from zoho_mongo_store.refresh.known import late
from zoho_mongo_store.refresh.outcome import Brought
from zoho_mongo_store.refresh.progress import Progress


def store_answer(
    progress: Progress,
    held: HeldLease,
    before: Document | None,
    fields: Document,
    duration: timedelta,
) -> Brought:
    """Store the token from Zoho's answer, and end the lease.

    Args:
        progress: The attempt.
        held: Its lease.
        before: The token as it was stored before Zoho was asked.
        fields: The token's fields after Zoho's answer.
        duration: How long the request took.

    Returns:
        The token as stored, which is a newer one if another process stored it in the meantime. If
        MongoDB fails, the token from the answer; the repository keeps it until it can be written.
    """
    result = progress.write(lambda: _store(progress, held, before, fields, duration))
    if result is None:
        progress.count_success()
        return Brought({**(before or {}), **fields}, is_stored=False)
    return result


def _store(
    progress: Progress,
    held: HeldLease,
    before: Document | None,
    fields: Document,
    duration: timedelta,
) -> Brought:
    if before is None:
        # Before the last check of the lease, since it takes as long as Zoho likes.
        fields = {**fields, **look_up_user(progress, held)}
    if not held.extend() and (newer := progress.newer(progress.stored())) is not None:
        return late(progress, newer)
    tokens = progress.site.tokens
    if before is None:
        saved: Document | None = tokens.save(fields, is_login=True, tell=progress.tell)
    else:
        is_login = progress.task.redemption is Redemption.GRANT
        saved = tokens.compare_and_set_access_token(
            before, fields, is_login=is_login, tell=progress.tell
        )
    if saved is None:
        return _not_stored(progress, held, fields)
    held.succeed()
    progress.count_success()
    progress.tell("refreshed", saved, None, duration, held.attempt)
    return Brought(saved)


def _not_stored(progress: Progress, held: HeldLease, fields: Document) -> Brought:
    """Handle a stored token that was changed or deleted while Zoho was asked."""
    newer = progress.newer(progress.stored())
    held.succeed()
    if newer is not None:
        return late(progress, newer)
    # It was deleted. The new token works, and the SDK's own save stores it again.
    progress.count_success()
    return Brought(fields, is_stored=False)
