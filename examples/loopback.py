"""A Zoho and a MongoDB on this machine, to try the other examples without an account.

    python examples/loopback.py          # in one terminal; Ctrl-C ends both
    . ./loopback.env                     # in another: the variables that the examples read
    python examples/quickstart.py

The grant token in loopback.env is good for one login, as Zoho's are. The portal (portal/app.py)
and fastapi_app.py run on it too, one at a time, at http://localhost:8000. Needs the extra demo.
"""

import secrets
import shlex
import signal
import threading
from pathlib import Path

from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

PATH = Path("loopback.env")
PORTAL = "http://localhost:8000/callback"

ended = threading.Event()
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: ended.set())

with LocalMongo() as mongodb, LoopbackZoho(data_centers=("us", "eu")) as zoho:
    zoho.register_client([PORTAL], name="Harbour")
    zoho.data_center("eu").add_user("grace@example.com", "20002")
    zoho.add_record("Contacts", {"First_Name": "Mary", "Last_Name": "Jackson"})
    variables = {
        "ZOHO_MONGO_URI": mongodb.uri,
        "ZOHO_URL": zoho.url,
        "ZOHO_CLIENT_ID": zoho.client_id,
        "ZOHO_CLIENT_SECRET": zoho.client_secret,
        "ZOHO_GRANT_TOKEN": zoho.grant(),
        "ZOHO_REDIRECT_URL": PORTAL,
        "FLASK_SECRET_KEY": secrets.token_urlsafe(),
        "SESSION_SECRET_KEY": secrets.token_urlsafe(),
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    PATH.write_text("\n".join(lines) + "\n")
    print(f"Running: a loopback Zoho, and {mongodb.description}. Ctrl-C ends both.")
    print(f"In another terminal: . ./{PATH}", flush=True)
    ended.wait()
PATH.unlink()
