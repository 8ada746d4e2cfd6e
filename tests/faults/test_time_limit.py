"""The time limit of a task queue that strikes while a task waits for a refresh."""

import os
from pathlib import Path

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from tests.faults.celery_worker import running_celery
from tests.refresh.callers import Fleet, by_id, wait_until
from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def test_celerys_soft_time_limit(server: LocalMongo, tmp_path: Path) -> None:
    """Of a task that asks Zoho and of two that wait on it; nobody takes it for Zoho's failure."""
    with LoopbackZoho() as zoho, running_celery(server.uri, tmp_path) as celery:
        zoho.configure(failure="hang", failures=1)
        fields = Fleet(server.uri, "zohooauth", zoho).stored()
        arguments = [by_id(fields)["id"], zoho.url]

        struck = [celery.send_task("access_token", arguments) for _ in range(3)]
        for one in struck:
            with pytest.raises(SoftTimeLimitExceeded):
                one.get(timeout=60)
        wait_until(lambda: zoho.count("refresh") == 1)
        zoho.release()
        outcome = celery.send_task("access_token", arguments).get(timeout=60)

        assert zoho.is_live(outcome)
        assert zoho.count("refresh") == 1
