"""``watch`` while MongoDB is away."""

import signal
from pathlib import Path

import pytest

from tests.commands.running import COMMAND, running
from tests.commands.states import end_login
from tests.commands.test_watch import save
from tests.waiting import once_it_works
from zoho_mongo_store import MongoTokenStore
from zoho_mongo_store.testing import LocalMongo


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_it_goes_on_through_an_outage(
    server: LocalMongo, tmp_path: Path, options: list[str]
) -> None:
    with MongoTokenStore(server.uri, refresh=None) as store:
        save(store, "ada", "A", 1)
        end_login(store.collection, "ada")
    command = (str(COMMAND), "watch", *options)
    with running(*command, folder=tmp_path, ZOHO_MONGO_URI=server.uri) as process:
        process.wait_for("ada")
        server.kill()
        process.wait_for_error("MongoDB silent since ")
        server.start()
        process.wait_for_error("MongoDB answers again after ")
        with MongoTokenStore(server.uri, refresh=None) as store:
            once_it_works(lambda: save(store, "grace", "A", 1))
        process.wait_for("grace")
        process.send(signal.SIGINT)
        ended = process.finish()

    assert ended.status == 0
    assert ended.output.count("ada") == 1
    assert len(ended.errors.splitlines()) == 2
    assert "Traceback" not in ended.errors
