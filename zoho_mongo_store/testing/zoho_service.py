"""What the loopback Zoho decides on each request, and the list of requests that it keeps."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from zoho_mongo_store.testing import zoho_answers as answers
from zoho_mongo_store.testing.zoho_answers import Answer
from zoho_mongo_store.testing.zoho_protocol import Behaviour, Failure, Kind, Request, digest
from zoho_mongo_store.testing.zoho_tokens import RefusalError, Tokens

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
    """The loopback Zoho without its HTTP. Thread-safe."""

    def __init__(self) -> None:
        self._tokens = Tokens()
        self._behaviour = Behaviour()
        self._requests: list[Request] = []
        self._open: Counter[str] = Counter()
        self._most_open: Counter[str] = Counter()
        self._released = threading.Event()
        self._lock = threading.Lock()
        self.operations: dict[str, Callable[..., Any]] = {
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
            "release": self._release,
        }
        """The control operations by name: each takes and gives plain JSON values."""

    def token(
        self, kind: Kind, credential: str, client_id: str, client_secret: str, url: str
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
            redeem = self._tokens.exchange if kind == "grant" else self._tokens.refresh
            try:
                issued = redeem(credential, client_id, client_secret, behaviour.lifetime)
                answer = answers.tokens(issued, url, behaviour.lifetime)
            except RefusalError as error:
                throttled = str(error) == "Access Denied"
                answer = (
                    answers.throttled(behaviour.throttle_status, language)
                    if throttled
                    else answers.refusal(str(error), behaviour.refusal_status, language)
                )
        self._record(kind, answer, credential)
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
            answer = answers.revoked()
        except RefusalError as error:
            answer = answers.refusal(str(error), 400)
        self._record("revoke", answer, refresh_token)
        return answer

    def account(self, kind: Kind, access_token: str) -> Answer:
        """Answer the look-up of the user (``"users"``) or the organization (``"org"``)."""
        account = self._tokens.account(access_token)
        if account is None:
            answer = answers.crm_error("INVALID_TOKEN", "invalid oauth token")
        elif self._behaviour.users_failure:
            message = "invalid oauth scope to access this URL"
            answer = answers.crm_error("OAUTH_SCOPE_MISMATCH", message)
        else:
            answer = answers.users(account) if kind == "users" else answers.org(account)
        self._record(kind, answer, access_token)
        return answer

    def _next_behaviour(self) -> tuple[Behaviour, threading.Event]:
        """The behaviour for one token request, which counts against ``failures``."""
        with self._lock:
            behaviour = self._behaviour
            if behaviour.failures == 1:
                self._behaviour = replace(behaviour, failure=None, failures=None)
            elif behaviour.failures is not None:
                self._behaviour = replace(behaviour, failures=behaviour.failures - 1)
            return behaviour, self._released

    def _record(self, kind: Kind, answer: Answer, credential: str) -> None:
        with self._lock:
            request = Request(kind, self._tokens.now(), answer.status, digest(credential))
            self._requests.append(request)

    def _configure(self, **changes: Any) -> None:
        with self._lock:
            if "failure" in changes:
                changes.setdefault("failures", None)
            self._behaviour = replace(self._behaviour, **changes)
        if "failure" in changes:
            self._release()

    def _release(self) -> None:
        with self._lock:
            self._released.set()
            self._released = threading.Event()

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

    def _issue_access_token(self, refresh_token: str) -> str:
        return self._tokens.issue_access_token(refresh_token, self._behaviour.lifetime)

    def _is_live(self, access_token: str) -> bool:
        return self._tokens.account(access_token) is not None
