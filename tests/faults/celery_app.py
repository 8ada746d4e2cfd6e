"""A Celery application that makes and uses its store before the worker forks its pool."""

import os

from celery import Celery

from tests.faults.documents import login
from tests.refresh.callers import driving
from tests.tokens import contents, make_token
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LoopbackZoho

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


@app.task(name="access_token", soft_time_limit=2, time_limit=60)  # type: ignore[untyped-decorator]
def access_token(id: str, zoho_url: str) -> str | None:
    """Ask the SDK for an access token, within two seconds."""
    with driving(store, LoopbackZoho.at(zoho_url)):
        found: str | None = make_token(id=id).get_token()
        return found
