"""A Celery worker that works for users while they are away; it shares the portal's tokens.

    celery --workdir examples -A celery_worker worker --pool=prefork

CELERY_CONFIG_MODULE names a module with Celery's settings; without one, the broker is a RabbitMQ on
this machine. For the other variables see zoho_login.py.
"""

from typing import Any

from celery import Celery, Task
from celery.signals import worker_process_init
from contacts import contacts_of
from zoho_login import initialize, store

from zoho_mongo_store import RefreshPausedError, ZohoUser

app = Celery("celery_worker")
app.config_from_envvar("CELERY_CONFIG_MODULE", silent=True)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def start(**_: Any) -> None:
    """Initialize the SDK in each process of the pool, after the fork."""
    initialize()


@app.task(bind=True, max_retries=5)  # type: ignore[untyped-decorator]
def count_contacts(self: Task, name: str, id: str) -> int:
    """The number of a user's contacts. Fails if the user must log in again."""
    try:
        return len(contacts_of(ZohoUser(name, id)))
    except RefreshPausedError as error:
        # Zoho is not asked before then: an earlier retry would be wasted.
        raise self.retry(exc=error, countdown=error.retry_after.total_seconds()) from error


@app.task  # type: ignore[untyped-decorator]
def count_all_contacts() -> int:
    """Count the contacts of every user who has ever logged in, one task per user."""
    sent = 0
    for token in store.iter_tokens():
        signature = token.get_user_signature()
        if signature is not None:
            count_contacts.delay(signature.get_name(), token.get_id())
            sent += 1
    return sent
