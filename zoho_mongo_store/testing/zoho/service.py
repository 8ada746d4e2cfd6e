"""Decides how the loopback Zoho answers each request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from zoho_mongo_store.testing.zoho import answers
from zoho_mongo_store.testing.zoho.answers import Answer
from zoho_mongo_store.testing.zoho.authorize import AuthorizeRequest
from zoho_mongo_store.testing.zoho.call import Call
from zoho_mongo_store.testing.zoho.conduct import Conduct
from zoho_mongo_store.testing.zoho.credentials import Account, RefusalError
from zoho_mongo_store.testing.zoho.crm import Crm
from zoho_mongo_store.testing.zoho.directory import Directory, User
from zoho_mongo_store.testing.zoho.protocol import Failure, Kind
from zoho_mongo_store.testing.zoho.request_log import RequestLog
from zoho_mongo_store.testing.zoho.scopes import allow
from zoho_mongo_store.testing.zoho.tokens import Tokens

_LATE = ("hang", "hang_in_body", "drip")


@dataclass(frozen=True)
class Verdict:
    """How a token request is to be answered.

    Attributes:
        answer: The answer.
        delay: Seconds to wait before the answer.
        hang: Seconds that a hang lasts, unless ``released`` is set first.
        released: Set when hanging requests are to continue.
        failure: The failure that replaces the answer, if any.
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
        self.conduct = Conduct()
        """How it is configured to answer."""
        self.log = RequestLog(self._tokens.now)
        """The requests that it received."""
        self.operations: dict[str, Callable[..., Any]] = {
            "register_client": directory.register_client,
            "add_user": self._add_user,
            "grant": self._tokens.issue_grant,
            "refresh_token": self._tokens.issue_refresh_token,
            "access_token": self._issue_access_token,
            "expire": self._tokens.expire,
            "is_live": self._is_live,
            "revoke": self._tokens.revoke,
            "most_at_once": self.log.most_at_once,
            "advance": self._tokens.advance,
            "requests": self.log.requests,
            "clear": self.log.clear,
            "configure": self.conduct.configure,
            "release": self.conduct.release,
            "refuse_with": self.conduct.refuse_with,
            "add_module": self._crm.modules.add,
            "add_record": self._add_record,
            "records": self._crm.records,
        }
        """The control operations by name. Each takes and returns plain JSON values."""

    def issue_code(self, user: User, request: AuthorizeRequest) -> str:
        """Issue a grant token for a user of this data centre who has accepted the request."""
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
        """Answer the exchange of a grant token, or a refresh.

        The tokens are issued here, before any delay: a slow answer is only late.
        """
        behaviour, released = self.conduct.of_token_request()
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
        refusal = self.conduct.of_crm_request()
        if refusal is not None:
            return answers.crm_error(refusal.code, refusal.http_status)
        if not allow(account.scopes, call.needed_scope):
            return answers.crm_error("OAUTH_SCOPE_MISMATCH")
        return self._crm.answer(account, call)

    def _add_user(self, user: str, org: str) -> None:
        self._directory.add_user(user, org, self._location)

    def _add_record(self, module: str, values: dict[str, Any], user: str, org: str) -> str:
        return self._crm.add_record(Account(user, org, client_id=""), module, values)

    def _issue_access_token(self, refresh_token: str) -> str:
        return self._tokens.issue_access_token(refresh_token, self.conduct.lifetime)

    def _is_live(self, access_token: str) -> bool:
        return self._tokens.account(access_token) is not None
