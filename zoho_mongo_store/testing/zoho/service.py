"""What the loopback Zoho decides on each request, and the list of requests that it keeps."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from zoho_mongo_store.testing.zoho import answers
from zoho_mongo_store.testing.zoho.answers import Answer
from zoho_mongo_store.testing.zoho.authorize import AuthorizeRequest
from zoho_mongo_store.testing.zoho.call import Call
from zoho_mongo_store.testing.zoho.crm import Crm
from zoho_mongo_store.testing.zoho.directory import Directory, User
from zoho_mongo_store.testing.zoho.protocol import (
    Behaviour,
    Failure,
    Kind,
    Refusal,
    Request,
    digest,
)
from zoho_mongo_store.testing.zoho.scopes import allow
from zoho_mongo_store.testing.zoho.tokens import Account, RefusalError, Tokens

_LATE = ("hang", "hang_in_body", "drip")


@dataclass(frozen=True)
class Verdict:
    """How a token request is to be answered.

    Attributes:
        answer: The answer.
        delay: Seconds to wait before it.
        hang: Seconds that a hang lasts, unless ``released`` comes first.
        released: Set when whatever hangs is to go on.
        failure: The failure that takes the place of the answer, if any.
    """

    answer: Answer
    delay: float
    hang: float
    released: threading.Event
    failure: Failure | None


class ZohoService:
    """A data centre of the loopback Zoho without its HTTP. Thread-safe.

    Args:
        directory: The clients and users of all data centres.
        location: Its name, such as ``"us"``.
    """

    def __init__(self, directory: Directory, location: str) -> None:
        self._directory = directory
        self._location = location
        self._tokens = Tokens(directory)
        self._crm = Crm(self._tokens.now)
        self._behaviour = Behaviour()
        self._refusal: Refusal | None = None
        self._requests: list[Request] = []
        self._open: Counter[str] = Counter()
        self._most_open: Counter[str] = Counter()
        self._released = threading.Event()
        self._lock = threading.Lock()
        self.operations: dict[str, Callable[..., Any]] = {
            "register_client": directory.register_client,
            "add_user": self._add_user,
            "grant": self._tokens.issue_grant,
            "refresh_token": self._tokens.issue_refresh_token,
            "access_token": self._issue_access_token,
            "expire": self._tokens.expire,
            "is_live": self._is_live,
            "revoke": self._tokens.revoke,
            "most_at_once": self._most_at_once,
            "advance": self._tokens.advance,
            "requests": self._list_requests,
            "clear": self._clear,
            "configure": self._configure,
            "release": self.release,
            "refuse_with": self._refuse_with,
            "add_module": self._crm.modules.add,
            "add_record": self._add_record,
            "records": self._crm.records,
        }
        """The control operations by name: each takes and gives plain JSON values."""

    def issue_code(self, user: User, request: AuthorizeRequest) -> str:
        """A new grant token for a user of this data centre who has accepted the request."""
        return self._tokens.issue_code(
            Account(user.email, user.org, request.client_id, request.scopes),
            request.redirect_uri,
            offline=request.offline,
            new_consent=request.new_consent,
        )

    def token(
        self,
        kind: Kind,
        credential: str,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        url: str,
    ) -> Verdict:
        """Answer the exchange of a grant token or a refresh.

        The tokens are issued here, before any delay: a slow answer is late, not undone.
        """
        behaviour, released = self._next_behaviour()
        failure, language = behaviour.failure, behaviour.language
        if failure == "throttle":
            answer = answers.throttled(behaviour.throttle_status, language)
        elif failure == "answer":
            answer = Answer(behaviour.answer)
        elif failure is not None and failure not in _LATE:
            answer = answers.refusal(failure, behaviour.refusal_status, language)
        else:
            client, lifetime = (client_id, client_secret), behaviour.lifetime
            try:
                issued = (
                    self._tokens.exchange(credential, *client, redirect_uri, lifetime)
                    if kind == "grant"
                    else self._tokens.refresh(credential, *client, lifetime)
                )
                answer = answers.tokens(issued, url, lifetime)
            except RefusalError as error:
                throttled = str(error) == "Access Denied"
                answer = (
                    answers.throttled(behaviour.throttle_status, language)
                    if throttled
                    else answers.refusal(str(error), behaviour.refusal_status, language)
                )
        return Verdict(answer, behaviour.delay, behaviour.hang, released, failure)

    @contextmanager
    def under_way(self, credential: str) -> Iterator[None]:
        """Count a token request as under way while the block runs."""
        short = digest(credential)
        with self._lock:
            self._open[short] += 1
            self._most_open[short] = max(self._most_open[short], self._open[short])
        try:
            yield
        finally:
            with self._lock:
                self._open[short] -= 1

    def revoke(self, refresh_token: str) -> Answer:
        """Answer the revocation of a refresh token; an unknown one gives status 400."""
        try:
            self._tokens.revoke(refresh_token)
        except RefusalError as error:
            return answers.refusal(str(error), 400)
        return answers.revoked()

    def crm(self, call: Call, access_token: str) -> Answer:
        """Answer a request to the CRM API."""
        account = self._tokens.account(access_token)
        if account is None:
            return answers.crm_error("INVALID_TOKEN")
        refusal = self._next_refusal()
        if refusal is not None:
            return answers.crm_error(refusal.code, refusal.http_status)
        if not allow(account.scopes, call.needed_scope):
            return answers.crm_error("OAUTH_SCOPE_MISMATCH")
        return self._crm.answer(account, call)

    def record(self, kind: Kind, method: str, path: str, status: str, credential: str = "") -> None:
        """Note a request with what is answered."""
        with self._lock:
            request = Request(kind, self._tokens.now(), status, digest(credential), method, path)
            self._requests.append(request)

    def release(self) -> None:
        """Answer all requests that hang."""
        with self._lock:
            self._released.set()
            self._released = threading.Event()

    def _next_behaviour(self) -> tuple[Behaviour, threading.Event]:
        """The behaviour for one token request, which counts against ``failures``."""
        with self._lock:
            behaviour = self._behaviour
            if behaviour.failures == 1:
                self._behaviour = replace(behaviour, failure=None, failures=None)
            elif behaviour.failures is not None:
                self._behaviour = replace(behaviour, failures=behaviour.failures - 1)
            return behaviour, self._released

    def _next_refusal(self) -> Refusal | None:
        """What one request to the CRM API is refused with."""
        with self._lock:
            refusal = self._refusal
            if refusal is not None and refusal.requests is not None:
                left = refusal.requests - 1
                self._refusal = replace(refusal, requests=left) if left else None
            return refusal

    def _refuse_with(self, code: str | None, http_status: int | None, requests: int | None) -> None:
        refusal = None if code is None else Refusal(code, http_status, requests)
        with self._lock:
            self._refusal = refusal

    def _configure(self, **changes: Any) -> None:
        with self._lock:
            if "failure" in changes:
                changes.setdefault("failures", None)
            self._behaviour = replace(self._behaviour, **changes)
        if "failure" in changes:
            self.release()

    def _list_requests(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(request) for request in self._requests]

    def _clear(self) -> None:
        with self._lock:
            self._requests.clear()
            self._most_open.clear()

    def _most_at_once(self, credential: str) -> int:
        with self._lock:
            return self._most_open[digest(credential)]

    def _add_user(self, user: str, org: str) -> None:
        self._directory.add_user(user, org, self._location)

    def _add_record(self, module: str, values: dict[str, Any], user: str, org: str) -> str:
        return self._crm.add_record(Account(user, org, client_id=""), module, values)

    def _issue_access_token(self, refresh_token: str) -> str:
        return self._tokens.issue_access_token(refresh_token, self._behaviour.lifetime)

    def _is_live(self, access_token: str) -> bool:
        return self._tokens.account(access_token) is not None
