"""A Celery application that makes and uses its store before the worker forks its pool."""

import os

from celery import Celery

from tests.faults.documents import login
from tests.tokens import contents, make_token
from zoho_mongo_store import MongoTokenStore

FOLDER = os.environ["ZOHO_MONGO_CELERY_FOLDER"]

app = Celery("tests.faults.celery_app", broker="filesystem://", backend=f"file://{FOLDER}/results")
app.conf.broker_transport_options = {
    "data_folder_in": f"{FOLDER}/queue",
    "data_folder_out": f"{FOLDER}/queue",
    "control_folder": f"{FOLDER}/control",
}
app.conf.worker_hijack_root_logger = False

store = MongoTokenStore(os.environ["ZOHO_MONGO_URI"])
store.find_token(make_token(user_name="ada"))


@app.task(name="find")  # type: ignore[untyped-decorator]
def find(user: str) -> tuple[int, str]:
    """Find a user's token; the process that did, and the access token."""
    found = contents(store.find_token(make_token(user_name=user)))
    return os.getpid(), str(found["access_token"])


@app.task(name="save")  # type: ignore[untyped-decorator]
def save(user: str, number: int) -> bool:
    """Save a user's token as the SDK does, which swallows what that raises."""
    try:
        store.save_token(make_token(**login(user, number)))
    except Exception:
        return False
    return True
