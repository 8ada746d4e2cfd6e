"""The page's webhook."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.docs.pages import DOCS, programs, run
from tests.engines import SERVERS
from tests.refresh.callers import CLIENT, Fleet, ask, by_id, driving
from tests.tokens import make_token
from tests.waiting import eventually

PAGE = DOCS / "operate" / "metrics.md"

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)


class Hook(http.server.BaseHTTPRequestHandler):
    """Takes what the webhook is told, and a second for each."""

    told: list[Any]

    def do_POST(self) -> None:
        time.sleep(1)
        self.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def hook() -> Iterator[http.server.HTTPServer]:
    Hook.told = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_webhook(
    fleet: Fleet, hook: http.server.HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_URL", f"http://127.0.0.1:{hook.server_port}/")
    (program,) = programs(PAGE, "A webhook")
    good, bare = fleet.stored(), {"access_token": "old", "expires_in": "1000", "user_name": "ada"}

    with run(program, PAGE)["store"] as store, driving(store, fleet.zoho):
        token = make_token(**bare, **CLIENT)
        store.save_token(token)
        call = ask(make_token(id=token.get_id()))
        assert call.error == "LoginRequiredError"
        # The hook takes a second: nobody waits for it.
        assert Hook.told == []
        assert ask(make_token(**by_id(good))).access_token
        assert eventually(lambda: Hook.told)

    (told,) = Hook.told
    assert (told["event"], told["user"]) == ("login_required", "ada")
    assert "access_type=offline" in told["reason"]
