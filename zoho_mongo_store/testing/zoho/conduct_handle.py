"""How the loopback Zoho answers token requests, as a test sets it."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from zoho_mongo_store.testing.zoho.protocol import Failure, Language
from zoho_mongo_store.testing.zoho.server import ZohoServer


class _Unchanged(Enum):
    UNCHANGED = "unchanged"


UNCHANGED: Literal[_Unchanged.UNCHANGED] = _Unchanged.UNCHANGED


class ConductHandle(ZohoServer):
    """Makes token requests fail, hang or take longer."""

    def configure(
        self,
        *,
        delay: float | _Unchanged = UNCHANGED,
        lifetime: int | _Unchanged = UNCHANGED,
        failure: Failure | _Unchanged | None = UNCHANGED,
        failures: int | _Unchanged | None = UNCHANGED,
        hang: float | _Unchanged = UNCHANGED,
        answer: object = UNCHANGED,
        language: Language | _Unchanged = UNCHANGED,
        throttle_status: Literal[200, 400] | _Unchanged = UNCHANGED,
        refusal_status: Literal[200, 400] | _Unchanged = UNCHANGED,
    ) -> None:
        """Change how Zoho answers from now on. Settings that are not given stay as they are.

        Args:
            delay: Seconds before a token request is answered; initially 0.
            lifetime: Lifetime of an access token in seconds; initially 3600.
            failure: How token requests fail. None (initially): they do not. ``"throttle"``,
                ``"invalid_code"``, ``"invalid_client"``, ``"invalid_client_secret"``,
                ``"invalid_redirect_uri"`` and ``"general_error"`` refuse; ``"answer"`` answers with
                the JSON in ``answer``; ``"garbage"`` answers with HTML, and ``"server_error"`` with
                HTML and status 502; ``"close"`` closes the connection without an answer, and
                ``"reset"`` resets it; ``"hang"`` does the work and answers after ``hang`` seconds,
                ``"hang_in_body"`` hangs in the middle of the answer, and ``"drip"`` sends one byte
                at a time. Setting it releases hanging requests.
            failures: The number of token requests that fail. None (the default when ``failure`` is
                given): all, until it is changed.
            hang: How many seconds a hang lasts; initially 60. :meth:`release` ends it early, and so
                does a client that hangs up.
            answer: The JSON for ``failure="answer"``.
            language: The language of Zoho's texts: ``"en"`` (initially) or ``"zh"``, in which a
                throttled answer contains no English.
            throttle_status: The HTTP status of a throttled answer: 400 (initially) or 200.
            refusal_status: The HTTP status of other refusals: 200 (initially) or 400.

        Raises:
            ValueError: A value is out of range.
        """
        given = {
            "delay": delay,
            "lifetime": lifetime,
            "failure": failure,
            "failures": failures,
            "hang": hang,
            "answer": answer,
            "language": language,
            "throttle_status": throttle_status,
            "refusal_status": refusal_status,
        }
        self._ask(
            "configure", **{name: value for name, value in given.items() if value is not UNCHANGED}
        )

    def release(self) -> None:
        """Answer all hanging requests."""
        self._ask("release")
