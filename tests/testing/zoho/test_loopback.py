"""The loopback Zoho: its answers, its limits, the failures it can be told to show."""

from __future__ import annotations

import hashlib
import importlib
import multiprocessing
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.testing.zoho.calls import TIMEOUT, exchange, get, refresh, revoke
from zoho_mongo_store.testing import LoopbackZoho, digest

TOKEN = re.compile(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}")
THROTTLED = {
    "error": "Access Denied",
    "error_description": "You have made too many requests continuously. "
    "Please try again after some time.",
    "status": "failure",
}


def statuses(zoho: LoopbackZoho) -> list[tuple[str, str]]:
    return [(request.kind, request.status) for request in zoho.requests()]


class TestGrant:
    def test_is_exchanged_for_tokens(self, zoho: LoopbackZoho) -> None:
        answer = exchange(zoho, zoho.grant())
        body = answer.json()
        assert answer.status_code == 200
        access_token, refresh_token = body.pop("access_token"), body.pop("refresh_token")
        assert TOKEN.fullmatch(access_token)
        assert TOKEN.fullmatch(refresh_token)
        assert access_token != refresh_token
        assert body == {"api_domain": zoho.url, "token_type": "Bearer", "expires_in": 3600}
        assert zoho.is_live(access_token)
        assert "access_token" in refresh(zoho, refresh_token).json()

    def test_works_once(self, zoho: LoopbackZoho) -> None:
        grant = zoho.grant()
        exchange(zoho, grant)
        assert exchange(zoho, grant).json() == {"error": "invalid_code"}

    def test_works_once_for_racing_requests(self, zoho: LoopbackZoho) -> None:
        grant = zoho.grant()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: exchange(zoho, grant).json(), range(8)))
        assert sum("access_token" in answer for answer in answers) == 1

    def test_that_is_unknown_is_refused(self, zoho: LoopbackZoho) -> None:
        zoho.grant()
        assert exchange(zoho, "1000.unknown").json() == {"error": "invalid_code"}

    @pytest.mark.parametrize("field", ["client_id", "client_secret"])
    def test_needs_its_client(self, zoho: LoopbackZoho, field: str) -> None:
        grant = zoho.grant()
        assert exchange(zoho, grant, **{field: "wrong"}).json() == {"error": "invalid_client"}
        assert "access_token" in exchange(zoho, grant).json()

    def test_of_another_client_is_refused(self, zoho: LoopbackZoho) -> None:
        zoho.grant()
        grant = zoho.grant(client_id="1000.OTHER", client_secret="other")
        assert exchange(zoho, grant).json() == {"error": "invalid_code"}
        other = {"client_id": "1000.OTHER", "client_secret": "other"}
        assert "access_token" in exchange(zoho, grant, **other).json()


class TestRefresh:
    def test_gives_an_access_token_and_no_refresh_token(self, zoho: LoopbackZoho) -> None:
        body = refresh(zoho, zoho.refresh_token()).json()
        assert zoho.is_live(body.pop("access_token"))
        assert body == {"api_domain": zoho.url, "token_type": "Bearer", "expires_in": 3600}

    def test_of_an_unknown_token_is_refused(self, zoho: LoopbackZoho) -> None:
        zoho.refresh_token()
        assert refresh(zoho, "1000.unknown").json() == {"error": "invalid_code"}

    def test_needs_its_client(self, zoho: LoopbackZoho) -> None:
        refresh_token = zoho.refresh_token()
        wrong = refresh(zoho, refresh_token, client_secret="wrong")
        assert wrong.json() == {"error": "invalid_client"}

    def test_is_limited_to_ten_in_ten_minutes(self, zoho: LoopbackZoho) -> None:
        refresh_token, other = zoho.refresh_token(), zoho.refresh_token()
        for _ in range(5):
            assert refresh(zoho, refresh_token).status_code == 200
        zoho.advance(300)
        for _ in range(5):
            assert refresh(zoho, refresh_token).status_code == 200
        throttled = refresh(zoho, refresh_token)
        assert (throttled.status_code, throttled.json()) == (400, THROTTLED)
        assert "access_token" in refresh(zoho, other).json()

        zoho.advance(290)
        assert refresh(zoho, refresh_token).json() == THROTTLED
        zoho.advance(10)  # The first five are 10 minutes old.
        answers = [refresh(zoho, refresh_token).json() for _ in range(6)]
        assert ["access_token" in answer for answer in answers] == [True] * 5 + [False]

    def test_throttling_can_come_with_status_200(self, zoho: LoopbackZoho) -> None:
        zoho.configure(throttle_status=200)
        refresh_token = zoho.refresh_token()
        for _ in range(10):
            refresh(zoho, refresh_token)
        throttled = refresh(zoho, refresh_token)
        assert (throttled.status_code, throttled.json()) == (200, THROTTLED)

    def test_the_oldest_of_ten_live_access_tokens_goes_first(self, zoho: LoopbackZoho) -> None:
        refresh_token = zoho.refresh_token()
        first, second, *_ = [zoho.access_token(refresh_token) for _ in range(10)]
        assert zoho.is_live(first)
        eleventh = zoho.access_token(refresh_token)
        assert [zoho.is_live(token) for token in (first, second, eleventh)] == [False, True, True]

    def test_an_access_token_lives_as_long_as_it_says(self, zoho: LoopbackZoho) -> None:
        zoho.configure(lifetime=100)
        body = refresh(zoho, zoho.refresh_token()).json()
        assert body["expires_in"] == 100
        zoho.advance(60)
        assert zoho.is_live(body["access_token"])
        zoho.advance(40)
        assert not zoho.is_live(body["access_token"])


class TestRevoke:
    def test_ends_the_refresh_token_and_its_access_tokens(self, zoho: LoopbackZoho) -> None:
        refresh_token, other = zoho.refresh_token(), zoho.refresh_token()
        access_token, others = zoho.access_token(refresh_token), zoho.access_token(other)
        assert revoke(zoho, refresh_token).json() == {"status": "success"}
        assert not zoho.is_live(access_token)
        assert zoho.is_live(others)
        assert refresh(zoho, refresh_token).json() == {"error": "invalid_code"}

    def test_of_an_unknown_token_is_refused(self, zoho: LoopbackZoho) -> None:
        answer = revoke(zoho, "1000.unknown")
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_token"})


class TestTypingErrors:
    def test_an_unknown_kind_is_not_counted(self, zoho: LoopbackZoho) -> None:
        with pytest.raises(ValueError, match="one of authorize, grant, refresh"):
            zoho.count("refreshes")  # type: ignore[arg-type]

    def test_an_unknown_access_token_is_not_expired(self, zoho: LoopbackZoho) -> None:
        access_token = zoho.access_token(zoho.refresh_token())
        zoho.expire(access_token)
        for unknown in (access_token, "1000.unknown"):
            with pytest.raises(ValueError, match="invalid_token"):
                zoho.expire(unknown)


class TestUserAndOrganization:
    @pytest.mark.parametrize("version", [5, 6, 7, 8])
    def test_are_those_of_the_grant(self, zoho: LoopbackZoho, version: int) -> None:
        access_token = zoho.access_token(zoho.refresh_token("eve@example.com", "20002"))
        users = get(zoho, f"v{version}/users?type=CurrentUser", access_token).json()
        assert [user["email"] for user in users["users"]] == ["eve@example.com"]
        assert users["info"]["count"] == 1
        org = get(zoho, f"v{version}/org", access_token).json()
        assert [organization["zgid"] for organization in org["org"]] == ["20002"]

    @pytest.mark.parametrize("path", ["v8/users?type=CurrentUser", "v8/org"])
    def test_need_a_live_access_token(self, zoho: LoopbackZoho, path: str) -> None:
        access_token = zoho.access_token(zoho.refresh_token())
        assert get(zoho, path, access_token).status_code == 200
        zoho.expire(access_token)
        answer = get(zoho, path, access_token)
        assert answer.status_code == 401
        assert answer.json() == {
            "code": "INVALID_TOKEN",
            "details": {},
            "message": "invalid oauth token",
            "status": "error",
        }
        assert requests.get(f"{zoho.url}/crm/{path}", timeout=TIMEOUT).status_code == 401

    def test_are_refused_as_told(self, zoho: LoopbackZoho) -> None:
        access_token = zoho.access_token(zoho.refresh_token())
        zoho.refuse_with("OAUTH_SCOPE_MISMATCH")
        for path in ("v8/users", "v8/org"):
            answer = get(zoho, path, access_token)
            assert (answer.status_code, answer.json()["code"]) == (401, "OAUTH_SCOPE_MISMATCH")
        zoho.refuse_with(None)
        assert get(zoho, "v8/users", access_token).status_code == 200

    def test_are_refused_as_often_as_told(self, zoho: LoopbackZoho) -> None:
        access_token = zoho.access_token(zoho.refresh_token())
        zoho.refuse_with("TOO_MANY_REQUESTS", requests=2)
        answers = [get(zoho, "v8/org", access_token).status_code for _ in range(3)]
        assert answers == [429, 429, 200]
        zoho.refuse_with("MAINTENANCE", http_status=503, requests=1)
        answer = get(zoho, "v8/org", access_token)
        assert (answer.status_code, answer.json()["code"]) == (503, "MAINTENANCE")
        with pytest.raises(ValueError, match="1 or more"):
            zoho.refuse_with("INVALID_TOKEN", requests=0)


class TestFailure:
    def test_refusals(self, zoho: LoopbackZoho) -> None:
        refresh_token = zoho.refresh_token()
        zoho.configure(failure="throttle")
        assert refresh(zoho, refresh_token).json() == THROTTLED
        zoho.configure(failure="invalid_code")
        assert refresh(zoho, refresh_token).json() == {"error": "invalid_code"}
        zoho.configure(failure=None)
        assert "access_token" in refresh(zoho, refresh_token).json()
        errors = ["Access Denied", "invalid_code", "ok"]
        assert statuses(zoho) == [("refresh", error) for error in errors]

    def test_garbage_is_no_json(self, zoho: LoopbackZoho) -> None:
        zoho.configure(failure="garbage")
        with pytest.raises(requests.JSONDecodeError):
            refresh(zoho, zoho.refresh_token()).json()
        assert statuses(zoho) == [("refresh", "garbage")]

    def test_close_gives_no_answer_and_burns_no_grant(self, zoho: LoopbackZoho) -> None:
        grant = zoho.grant()
        zoho.configure(failure="close", failures=1)
        with pytest.raises(requests.ConnectionError):
            exchange(zoho, grant)
        assert "access_token" in exchange(zoho, grant).json()
        assert statuses(zoho) == [("grant", "close"), ("grant", "ok")]

    def test_lasts_as_many_requests_as_told(self, zoho: LoopbackZoho) -> None:
        refresh_token = zoho.refresh_token()
        zoho.configure(failure="invalid_code", failures=2)
        answers = [refresh(zoho, refresh_token).json() for _ in range(3)]
        assert ["error" in answer for answer in answers] == [True, True, False]

    def test_hang_ends_with_a_reset(self, zoho: LoopbackZoho) -> None:
        refresh_token = zoho.refresh_token()
        zoho.configure(failure="hang")
        with ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(refresh, zoho, refresh_token)
            while zoho.count("refresh") == 0:
                time.sleep(0.01)
            zoho.reset()
            assert "access_token" in hanging.result(timeout=20).json()

    def test_hang_answers_after_its_time(self, zoho: LoopbackZoho) -> None:
        zoho.configure(failure="hang", hang=1)
        start = time.monotonic()
        assert "access_token" in refresh(zoho, zoho.refresh_token()).json()
        assert time.monotonic() - start >= 1

    def test_hang_holds_the_answer_until_released(self, zoho: LoopbackZoho) -> None:
        first, second = zoho.refresh_token(), zoho.refresh_token()
        zoho.configure(failure="hang", failures=1)
        with ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(refresh, zoho, first)
            while zoho.count("refresh", first) == 0:
                time.sleep(0.01)
            assert "access_token" in refresh(zoho, second).json()
            assert not hanging.done()
            zoho.release()
            assert "access_token" in hanging.result(timeout=20).json()

    def test_setting_a_failure_releases_what_hangs(self, zoho: LoopbackZoho) -> None:
        refresh_token = zoho.refresh_token()
        zoho.configure(failure="hang")
        with ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(refresh, zoho, refresh_token)
            while zoho.count("refresh") == 0:
                time.sleep(0.01)
            assert not hanging.done()
            zoho.configure(failure=None)
            assert "access_token" in hanging.result(timeout=20).json()

    @pytest.mark.parametrize(
        "wrong",
        [
            {"failure": "sulk"},
            {"failures": 1},
            {"failure": "hang", "failures": 0},
            {"delay": -1},
            {"lifetime": -1},
            {"hang": -1},
            {"throttle_status": 500},
        ],
    )
    def test_a_setting_out_of_range_is_refused(
        self, zoho: LoopbackZoho, wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(ValueError, match="configure: "):
            zoho.configure(**wrong)
        assert "access_token" in refresh(zoho, zoho.refresh_token()).json()

    def test_settings_that_are_not_given_stay(self, zoho: LoopbackZoho) -> None:
        zoho.configure(lifetime=7)
        zoho.configure(throttle_status=200)
        assert refresh(zoho, zoho.refresh_token()).json()["expires_in"] == 7


class TestRequests:
    def test_are_listed_with_a_digest_and_never_the_credential(self, zoho: LoopbackZoho) -> None:
        before = time.time()
        grant = zoho.grant()
        issued = exchange(zoho, grant).json()
        get(zoho, "v8/users", issued["access_token"])
        get(zoho, "v8/org", issued["access_token"])
        refresh(zoho, issued["refresh_token"])
        revoke(zoho, issued["refresh_token"])
        listed = zoho.requests()
        assert [(request.kind, request.digest) for request in listed] == [
            ("grant", digest(grant)),
            ("users", digest(issued["access_token"])),
            ("org", digest(issued["access_token"])),
            ("refresh", digest(issued["refresh_token"])),
            ("revoke", digest(issued["refresh_token"])),
        ]
        assert {request.status for request in listed} == {"ok"}
        assert all(request.time >= before for request in listed)
        assert not TOKEN.search(repr(listed))
        assert digest(grant) == hashlib.sha256(grant.encode()).hexdigest()[:16]

    def test_are_counted_by_kind_and_credential_until_cleared(self, zoho: LoopbackZoho) -> None:
        first, second = zoho.refresh_token(), zoho.refresh_token()
        for refresh_token in (first, first, second):
            refresh(zoho, refresh_token)
        exchange(zoho, zoho.grant())
        assert zoho.count("refresh") == 3
        assert zoho.count("refresh", first) == 2
        assert zoho.count("grant", first) == 0
        assert zoho.count("grant") == 1
        zoho.clear()
        assert zoho.requests() == []

    def test_refused_ones_are_listed_with_the_error(self, zoho: LoopbackZoho) -> None:
        exchange(zoho, "1000.unknown")
        revoke(zoho, "1000.unknown")
        get(zoho, "v8/org", "1000.unknown")
        assert statuses(zoho) == [
            ("grant", "invalid_code"),
            ("revoke", "invalid_token"),
            ("org", "INVALID_TOKEN"),
        ]

    def test_many_delayed_ones_are_answered_at_the_same_time(self, zoho: LoopbackZoho) -> None:
        zoho.configure(delay=1)
        refresh_token = zoho.refresh_token()
        barrier = threading.Barrier(64)

        def ask(_: int) -> str:
            barrier.wait(timeout=30)
            return "ok" if "access_token" in refresh(zoho, refresh_token).json() else "refused"

        start = time.monotonic()
        with ThreadPoolExecutor(64) as pool:
            answers = Counter(pool.map(ask, range(64)))
        elapsed = time.monotonic() - start
        assert answers == {"ok": 10, "refused": 54}
        assert 1 <= elapsed < 32  # One after the other they take 64 s.


class TestReset:
    def test_forgets_everything_in_all_data_centres(
        self, zoho: LoopbackZoho, eu: LoopbackZoho
    ) -> None:
        for data_center in (zoho, eu):
            refresh_token = data_center.refresh_token()
            data_center.configure(failure="throttle")
            data_center.refuse_with("INVALID_TOKEN")
            data_center.add_module("Students", {"Name": "text"})
            data_center.add_record("Students", {"Name": "Ada"})
            data_center.advance(1000)
            refresh(data_center, refresh_token)
        access_token = zoho.access_token(zoho.refresh_token())
        now = time.time()

        eu.reset()

        assert (zoho.requests(), eu.requests()) == ([], [])
        assert not zoho.is_live(access_token)
        for data_center in (zoho, eu):
            with pytest.raises(ValueError, match="there is no module Students"):
                data_center.records("Students")
            issued = refresh(data_center, data_center.refresh_token()).json()
            assert get(data_center, "v8/org", issued["access_token"]).status_code == 200
            assert data_center.requests()[0].time < now + 900


class TestProcess:
    def test_stop_leaves_no_process_no_port_no_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        zoho = LoopbackZoho()
        with zoho:
            pid, url = zoho.pid, zoho.url
            assert pid is not None
            assert psutil.pid_exists(pid)
            assert len(list(tmp_path.iterdir())) == 1
            with pytest.raises(RuntimeError, match="already running"):
                zoho.start()
        assert not psutil.pid_exists(pid)
        with pytest.raises(ConnectionRefusedError, match=f"no loopback Zoho listens at {url}"):
            LoopbackZoho.at(url).requests()
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(RuntimeError, match="start it first"):
            _ = zoho.url

    def test_writes_its_address_and_nothing_else(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        with LoopbackZoho() as zoho:
            issued = exchange(zoho, zoho.grant()).json()
            query = f"grant_type=refresh_token&refresh_token={issued['refresh_token']}"
            for path in (f"oauth/v2/token?{query}", f"none?{query}", f"%zz?{query}"):
                requests.post(f"{zoho.url}/{path}", timeout=TIMEOUT)
            zoho.configure(failure="close")
            with pytest.raises(requests.ConnectionError):
                refresh(zoho, issued["refresh_token"])
            (output,) = tmp_path.glob("*/*.log")
            assert output.read_text() == f"{zoho.url}\n"

    def test_a_handle_made_elsewhere_owns_nothing(self, zoho: LoopbackZoho) -> None:
        handle = LoopbackZoho.at(zoho.url)
        assert (handle.url, handle.pid) == (zoho.url, None)
        handle.stop()
        assert handle.is_live(handle.access_token(handle.refresh_token()))
        assert zoho.pid is not None

    def test_an_unknown_refresh_token_has_no_access_token(self, zoho: LoopbackZoho) -> None:
        with pytest.raises(ValueError, match="access_token: invalid_code"):
            zoho.access_token("1000.unknown")

    def test_without_werkzeug_the_error_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "werkzeug", None)
        with pytest.raises(ImportError, match=r"pip install 'zoho-mongo-store\[testing\]'"):
            LoopbackZoho()


def log_in_with_the_sdk(zoho: LoopbackZoho, grant: str, folder: Path) -> dict[str, Any]:
    """Log in, look up user and organization and revoke, with the SDK that is installed."""

    def sdk(module: str, name: str) -> Any:
        return getattr(importlib.import_module(f"zohocrmsdk.src.com.zoho.{module}"), name)

    oauth_token, utility = sdk("api.authenticator", "OAuthToken"), sdk("crm.api.util", "Utility")
    token = oauth_token(zoho.client_id, zoho.client_secret, grant_token=grant)
    sdk("crm.api.initializer", "Initializer").initialize(
        environment=zoho.environment(),
        token=token,
        store=sdk("api.authenticator.store", "FileStore")(str(folder / "tokens.csv")),
        resource_path=str(folder),
    )
    access_token = token.get_token()
    users = sdk("crm.api.users.users_operations", "UsersOperations")().get_users()
    org = sdk("crm.api.org.org_operations", "OrgOperations")().get_organization()
    look_up = getattr(utility, "get_user_name", None)  # SDK 5 has no such look-up.
    return {
        **({"user name": look_up(access_token)} if look_up else {}),
        "live": zoho.is_live(access_token),
        "emails": [user.get_email() for user in users.get_object().get_users()],
        "zgids": [organization.get_zgid() for organization in org.get_object().get_org()],
        "revoked": oauth_token.revoke_refresh_token(
            token.get_refresh_token(), zoho.environment().accounts_url + "/revoke"
        ),
        "live after": zoho.is_live(access_token),
    }


def test_the_sdk_logs_in_looks_up_its_user_and_revokes(zoho: LoopbackZoho, tmp_path: Path) -> None:
    grant = zoho.grant("eve@example.com", "20002")
    # In a process of its own: the SDK keeps its state in its classes.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        seen = pool.submit(log_in_with_the_sdk, zoho, grant, tmp_path).result(timeout=60)
    user_name = "eve@example.com:20002"
    assert seen.pop("user name", user_name) == user_name
    assert seen == {
        "live": True,
        "emails": ["eve@example.com"],
        "zgids": ["20002"],
        "revoked": True,
        "live after": False,
    }
    assert zoho.count("grant", grant) == 1
    assert zoho.count("revoke") == 1
    assert {request.status for request in zoho.requests()} == {"ok"}
