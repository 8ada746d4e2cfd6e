"""A corrected request is tried at once: the cool-down is that of the one that failed."""

import socket
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.engines import SERVERS
from tests.refresh.callers import CLIENT, Fleet, by_id
from tests.tokens import make_token
from zoho_mongo_store.testing import LoopbackZoho

pytestmark = pytest.mark.parametrize("engine", SERVERS, indirect=True)

RESTING = timedelta(minutes=5)


def test_a_wrong_client_secret_and_then_the_right_one(fleet: Fleet) -> None:
    fleet.zoho.configure(delay=0)
    fields = fleet.stored(client_secret="wrong")

    wrong = fleet.call([by_id(fields)] * 3, threads=2)
    assert fleet.zoho.count("refresh") == 1
    with fleet.store() as store:
        store.save_token(make_token(**by_id(fields), **CLIENT))
    right = fleet.call([by_id(fields)] * 3, threads=2)

    assert {call.error for call in wrong} == {"RefreshPausedError"}
    assert all("check the client id" in (call.message or "") for call in wrong)
    (access_token,) = {call.access_token for call in right}
    assert fleet.zoho.is_live(access_token or "")
    assert fleet.zoho.count("refresh") == 2


def test_a_wrong_data_centre_and_then_the_right_one(fleet: Fleet) -> None:
    """Whether it refuses, or cannot be reached."""
    fleet.zoho.configure(delay=0)
    fleet = fleet.leasing(network_cool_down=RESTING)
    fields = fleet.stored()
    with socket.socket() as taken, LoopbackZoho() as abroad:
        taken.bind(("127.0.0.1", 0))
        away = LoopbackZoho.at(f"http://127.0.0.1:{taken.getsockname()[1]}")

        unreachable = replace(fleet, zoho=away).call([by_id(fields)] * 2)
        refused = replace(fleet, zoho=abroad).call([by_id(fields)] * 2)
        assert abroad.count("refresh") == 1
        right = fleet.call([by_id(fields)] * 2)

    assert {call.error for call in [*unreachable, *refused]} == {"RefreshPausedError"}
    (access_token,) = {call.access_token for call in right}
    assert fleet.zoho.is_live(access_token or "")
    assert fleet.zoho.count("refresh") == 1


def test_who_is_configured_wrong_keeps_nobody_else_from_asking(fleet: Fleet) -> None:
    """Half a fleet with the old client secret, at the same moment."""
    fields = fleet.stored()
    wrong = {**fields, "client_secret": "old"}

    calls = fleet.call([fields, wrong] * 3)

    right = calls[::2]
    assert len({call.access_token for call in right}) == 1
    assert fleet.zoho.is_live(right[0].access_token or "")
    assert fleet.zoho.count("refresh") <= 2
