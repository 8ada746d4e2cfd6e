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
    """Has token requests fail, hang, or take their time."""

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
        """Change how Zoho answers from now on. What is not given stays as it is.

        Args:
            delay: Seconds before a token request is answered; 0 at first.
            lifetime: Seconds that an access token lives, 3600 at first.
            failure: How token requests fail. None (at first): they do not. ``"throttle"``,
                ``"invalid_code"``, ``"invalid_client"``, ``"invalid_client_secret"``,
                ``"invalid_redirect_uri"`` and ``"general_error"`` refuse; ``"answer"`` answers with
                the JSON that ``answer`` gives; ``"garbage"`` answers with HTML, and
                ``"server_error"`` with HTML and status 502; ``"close"`` closes the connection
                without an answer, and ``"reset"`` resets it; ``"hang"`` does the work and answers
                after ``hang`` seconds, ``"hang_in_body"`` hangs in the middle of the answer, and
                ``"drip"`` sends one byte at a time. To set it releases the requests that hang.
            failures: How many token requests the failure lasts; None (unless given with the
                failure) means until it is changed.
            hang: Seconds, 60 at first; ``release`` ends the wait early, and so does a client
                that hangs up.
            answer: The JSON of ``failure="answer"``.
            language: Of Zoho's texts: ``"en"`` (at first) or ``"zh"``, in which a throttled answer
                has no English word.
            throttle_status: HTTP status of a throttled answer: 400 (at first) or 200.
            refusal_status: HTTP status of other refusals: 200 (at first) or 400.

        Raises:
            ValueError: A value out of range.
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
        """Answer all requests that hang."""
        self._ask("release")
