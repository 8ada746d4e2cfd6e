"""A Zoho in a child process: the handle that a test or a demo uses."""

from __future__ import annotations

import inspect
from enum import Enum
from typing import TYPE_CHECKING, Literal

from zoho_mongo_store.testing.zoho.crm_handle import CrmHandle
from zoho_mongo_store.testing.zoho.login_handle import LoginHandle
from zoho_mongo_store.testing.zoho.protocol import (
    CLIENT_ID,
    CLIENT_SECRET,
    ORG,
    USER,
    Failure,
    Kind,
    Language,
    Request,
    digest,
)

if TYPE_CHECKING:
    from zoho_mongo_store.sdk import DataCenter


class _Unchanged(Enum):
    UNCHANGED = "unchanged"


UNCHANGED: Literal[_Unchanged.UNCHANGED] = _Unchanged.UNCHANGED


class LoopbackZoho(LoginHandle, CrmHandle):
    """Zoho's accounts server and a part of its CRM API, on a loopback address, with its limits.

    A context manager: entering starts it in a child process, leaving stops it. It keeps all in
    memory and forgets it when stopped. A grant token works once; one refresh token gives at most 10
    access tokens in any 10 minutes and has at most 10 live ones.

    It answers ``/oauth/v2/auth``, ``/oauth/v2/token`` and ``/oauth/v2/token/revoke``, and for the
    SDK's lines 5 to 8 ``users?type=CurrentUser``, ``org``, ``settings/fields``,
    ``settings/modules`` and the records of modules: get, insert, update, delete, and search by
    criteria, e-mail address, phone number or word.

    Each data centre has an address, tokens, requests and settings of its own, as Zoho's have; they
    know the same clients and users. The handle is on the first one, :meth:`data_center` gives one
    on another. A grant token is exchanged where its user is: elsewhere it is an ``invalid_code``.

    The handle can be pickled, and any process can make one with :meth:`at`; such a handle owns
    nothing: it neither starts nor stops the server. Methods may be called from any thread.

    Args:
        data_centers: which there are, by the names that Zoho puts into the ``location`` of a
            callback, such as ``("us", "eu")``. Default: ``"us"`` alone.

    Raises:
        ImportError: werkzeug is not installed.
        ValueError: Zoho has no such data centre.
    """

    client_id = CLIENT_ID
    """The id of the client that tokens are issued to by default."""
    client_secret = CLIENT_SECRET
    """Its secret."""

    def environment(self) -> DataCenter.Environment:
        """The SDK's environment that leads to this server, for whichever SDK is installed."""
        from zoho_mongo_store.sdk import DataCenter

        names = inspect.signature(DataCenter.Environment).parameters
        name = {"name": "loopback"} if "name" in names else {}  # SDK 5 wants one.
        return DataCenter.Environment(
            url=self.url,
            accounts_url=f"{self.url}/oauth/v2/token",
            file_upload_url=self.url,
            **name,
        )

    def environments(self) -> dict[str, DataCenter.Environment]:
        """The environment of each data centre by its location, as :meth:`environment` gives it."""
        urls = self._data_centers()
        return {location: self.at(url).environment() for location, url in urls.items()}

    def grant(
        self,
        user: str = USER,
        org: str = ORG,
        *,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
    ) -> str:
        """A new grant token: what a user gets who lets the client in.

        Args:
            user: the user's e-mail address.
            org: the organization's id (``zgid``). The SDK calls the user ``"<user>:<org>"``.
            client_id: the only client that can exchange it.
            client_secret: that client's secret from now on.
        """
        return self._ask_for_token("grant", user, org, client_id, client_secret)

    def refresh_token(
        self,
        user: str = USER,
        org: str = ORG,
        *,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
    ) -> str:
        """A new refresh token, without the exchange. Arguments as for :meth:`grant`."""
        return self._ask_for_token("refresh_token", user, org, client_id, client_secret)

    def access_token(self, refresh_token: str) -> str:
        """A new live access token of the refresh token, outside the limit of 10 in 10 minutes.

        Raises:
            ValueError: the refresh token is unknown or revoked.
        """
        return str(self._ask("access_token", refresh_token=refresh_token))

    def expire(self, access_token: str) -> None:
        """End an access token before its time; Zoho then answers ``INVALID_TOKEN`` to it."""
        self._ask("expire", access_token=access_token)

    def revoke(self, refresh_token: str) -> None:
        """End a login behind the back of whoever uses it, as its user does in Zoho's settings.

        Raises:
            ValueError: the refresh token is unknown, or revoked already.
        """
        self._ask("revoke", refresh_token=refresh_token)

    def is_live(self, access_token: str) -> bool:
        """Whether Zoho accepts the access token now."""
        return bool(self._ask("is_live", access_token=access_token))

    def advance(self, seconds: float) -> None:
        """Move Zoho's clock on: its tokens expire, its 10 minutes pass. This machine's stays."""
        self._ask("advance", seconds=seconds)

    def requests(self) -> list[Request]:
        """The requests received so far, in their order; control requests are not among them."""
        return [Request(**request) for request in self._ask("requests")]

    def count(self, kind: Kind, credential: str | None = None) -> int:
        """How many requests of the kind were received, whatever was answered.

        Args:
            kind: as :class:`Request` has it. A login on the authorize page is two of
                ``"authorize"``: the page with status ``"shown"``, and the button with ``"ok"`` or
                ``"access_denied"``.
            credential: count only those that carried this grant, refresh or access token.
        """
        wanted = None if credential is None else digest(credential)
        return sum(
            request.kind == kind and wanted in (None, request.digest) for request in self.requests()
        )

    def most_at_once(self, credential: str) -> int:
        """How many token requests with this grant or refresh token were ever under way at once.

        One is under way until it is answered, or its client has hung up.
        """
        return int(self._ask("most_at_once", credential=credential))

    def clear(self) -> None:
        """Forget the requests and what was counted of them. Tokens and limits stay."""
        self._ask("clear")

    def reset(self) -> None:
        """Forget everything, in all data centres: as a Zoho that has just been started."""
        self._ask("reset")

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
            delay: seconds before a token request is answered; 0 at first.
            lifetime: seconds that an access token lives, 3600 at first.
            failure: how token requests fail. None (at first): they do not. ``"throttle"``,
                ``"invalid_code"``, ``"invalid_client"``, ``"invalid_client_secret"``,
                ``"invalid_redirect_uri"`` and ``"general_error"`` refuse; ``"answer"`` answers with
                the JSON that ``answer`` gives; ``"garbage"`` answers with HTML, and
                ``"server_error"`` with HTML and status 502; ``"close"`` closes the connection
                without an answer, and ``"reset"`` resets it; ``"hang"`` does the work and answers
                after ``hang`` seconds, ``"hang_in_body"`` hangs in the middle of the answer, and
                ``"drip"`` sends one byte at a time. To set it releases the requests that hang.
            failures: how many token requests the failure lasts; None (unless given with the
                failure) means until it is changed.
            hang: seconds, 60 at first; :meth:`release` ends the wait early, and so does a client
                that hangs up.
            answer: the JSON of ``failure="answer"``.
            language: of Zoho's texts: ``"en"`` (at first) or ``"zh"``, in which a throttled answer
                has no English word.
            throttle_status: HTTP status of a throttled answer: 400 (at first) or 200.
            refusal_status: HTTP status of other refusals: 200 (at first) or 400.

        Raises:
            ValueError: a value out of range.
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

    def _ask_for_token(
        self, operation: str, user: str, org: str, client_id: str, client_secret: str
    ) -> str:
        client = {"client_id": client_id, "client_secret": client_secret}
        return str(self._ask(operation, user=user, org=org, **client))
