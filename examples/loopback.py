"""A Zoho and a MongoDB on this machine, to try the other examples without an account.

    python examples/loopback.py          # in one terminal; Ctrl-C ends both
    . ./loopback.env                     # in another: the variables that the examples read
    python examples/quickstart.py

The grant token in loopback.env is good for one login, as Zoho's are. Needs the extra demo.
"""

import shlex
import signal
import threading
from pathlib import Path

from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

PATH = Path("loopback.env")

ended = threading.Event()
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: ended.set())

with LocalMongo() as mongodb, LoopbackZoho() as zoho:
    variables = {
        "ZOHO_MONGO_URI": mongodb.uri,
        "ZOHO_URL": zoho.url,
        "ZOHO_CLIENT_ID": zoho.client_id,
        "ZOHO_CLIENT_SECRET": zoho.client_secret,
        "ZOHO_GRANT_TOKEN": zoho.grant(),
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    PATH.write_text("\n".join(lines) + "\n")
    print(f"{mongodb.description} and a loopback Zoho are running.")
    print(f"In another terminal: . ./{PATH}. Ctrl-C ends them.", flush=True)
    ended.wait()
PATH.unlink()
