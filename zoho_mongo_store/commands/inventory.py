"""The stored tokens as an operator sees them: whose, and in which state; nothing secret."""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pymongo

from zoho_mongo_store.commands.context import TIMEOUT
from zoho_mongo_store.commands.durations import shown_duration
from zoho_mongo_store.encryption.cipher import UnreadableError, is_encrypted
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, Document, from_document
from zoho_mongo_store.refresh.lease import Leases, LeaseState, lease_key
from zoho_mongo_store.refresh.policy import DEFAULT_POLICY, ZOHO_REQUESTS
from zoho_mongo_store.sdk import DataCenter, Redemption, SDKException
from zoho_mongo_store.storage.repository import TokenRepository

_PAGE = 1000
# By the accounts server (dc/*_data_center.py, get_iam_url).
_CENTRES = {
    "accounts.zoho.com": "US",
    "accounts.zoho.eu": "EU",
    "accounts.zoho.in": "IN",
    "accounts.zoho.com.cn": "CN",
    "accounts.zoho.com.au": "AU",
    "accounts.zoho.jp": "JP",
    "accounts.zohocloud.ca": "CA",
    "accounts.zoho.sa": "SA",
}


class State(Enum):
    """What a token is good for."""

    VALID = "valid"
    EXPIRED = "expired"
    REFRESHING = "refreshing"
    COOLING_DOWN = "cooling down"
    NO_ACCESS_TOKEN = "no access token"  # noqa: S105 - a state's name
    DAMAGED = "damaged"


class Item(NamedTuple):
    """One stored token."""

    id: str
    user: str | None
    state: State
    expires_at: datetime | None
    """Of the access token; ``None`` if that is unknown or there is none."""
    retry_after: datetime | None
    """While it is cooling down: until when nobody asks Zoho."""
    data_centre: str | None
    updated_at: datetime | None
    lease: LeaseState | None
    damage: str = ""
    """Why it cannot be read."""

    def described(self, now: datetime) -> str:
        """Its state in words."""
        if self.state is State.COOLING_DOWN and self.retry_after is not None:
            return f"cooling down for {shown_duration(self.retry_after - now)}"
        if self.state is State.VALID and self.expires_at is not None:
            return f"valid for {shown_duration(self.expires_at - now)}"
        if self.state is State.VALID:
            return "valid, expiry unknown"
        return f"{self.state.value}: {self.damage}" if self.damage else self.state.value

    def expires_within(self, length: timedelta, now: datetime) -> bool:
        """Whether its access token expires in so long, or has."""
        return self.expires_at is not None and self.expires_at <= now + length

    def as_json(self, now: datetime) -> dict[str, Any]:
        """Its values for JSON, lengths of time in seconds."""
        valid_for = None if self.expires_at is None else (self.expires_at - now).total_seconds()
        return {
            "id": self.id,
            "user": self.user,
            "state": self.state.value,
            "expires_at": self.expires_at,
            "valid_for": None if valid_for is None else max(0, round(valid_for)),
            "retry_after": self.retry_after,
            "data_centre": self.data_centre,
            "updated_at": self.updated_at,
        }


class Inventory:
    """What is stored, by the server's clock."""

    def __init__(self, tokens: TokenRepository) -> None:
        self._tokens = tokens
        self._leases = Leases(tokens.leases, TIMEOUT, DEFAULT_POLICY)
        self.clock = self._leases.clock()
        """The server's time, asked for once."""
        self._busy = self._busy_keys()

    def all(self) -> Iterator[Item]:
        """Every stored token, read in pages."""
        with contextlib.closing(self._tokens.scan(_PAGE)) as scan:
            while True:
                try:
                    document = scan.next()
                except UnreadableError as error:
                    yield _unreadable(error)
                    continue
                if document is None:
                    return
                yield self.item(document)

    def find(self, filter: dict[str, Any]) -> tuple[Item, Document] | None:
        """The one that an equality finds, and its document."""
        document = self._tokens.find([filter])
        return None if document is None else (self.item(document), document)

    def item(self, document: Document) -> Item:
        """What a stored document shows."""
        now = self.clock()
        damage = _damage(document)
        expires_at = _of_type(document.get("expiry_time"), datetime)
        access_token = document.get("access_token")
        lease = self._lease(document)
        state = State.DAMAGED if damage else _state(document, expires_at, lease, now)
        return Item(
            id=str(document.get("id", "")),
            user=_of_type(document.get("user_name"), str),
            state=state,
            expires_at=expires_at if access_token else None,
            retry_after=lease.retry_after if lease and state is State.COOLING_DOWN else None,
            data_centre=data_centre(_of_type(document.get("api_domain"), str)),
            updated_at=_of_type(document.get("updated_at"), datetime),
            lease=lease,
            damage=damage,
        )

    def _busy_keys(self) -> set[str]:
        """The few leases that are held, or that hold somebody off."""
        held: dict[str, Any] = {"owner": {"$exists": True}}
        resting = {"cooling_until": {"$gt": self.clock()}}
        counted = {f"requests.{ZOHO_REQUESTS - 1}": {"$exists": True}}
        with pymongo.timeout(TIMEOUT):
            found = self._tokens.leases().find({"$or": [held, resting, counted]}, {"_id": 1})
            return {lease["_id"] for lease in found}

    def _lease(self, document: Document) -> LeaseState | None:
        for redemption in Redemption:
            credential = document.get(redemption.credential)
            if isinstance(credential, str):
                key = lease_key(redemption.credential, credential)
                if key in self._busy:
                    return self._leases.read(key)
        return None


def data_centre(api_domain: str | None) -> str | None:
    """The data centre of an API domain, or the domain itself if it is none of Zoho's."""
    if api_domain is None:
        return None
    environment = DataCenter.get(api_domain)
    accounts = None if environment is None else urlsplit(environment.accounts_url).hostname
    return _CENTRES.get(accounts or "", urlsplit(api_domain).netloc or api_domain)


def _damage(document: Document) -> str:
    """Why no token can be made of a document; secrets that are encrypted are taken to be good."""
    plain = {name: "-" if is_encrypted(value) else value for name, value in document.items()}
    if not any(field in document for field in CREDENTIAL_FIELDS):
        return f"the document {document.get('_id')!r} has no access, refresh or grant token"
    try:
        from_document(plain)
    except StoreError as error:
        return str(error)
    except SDKException as error:
        return f"the SDK refuses the document {document.get('_id')!r} ({error.code})"
    return ""


def _unreadable(error: UnreadableError) -> Item:
    """What is left to show of a document that cannot be decrypted."""
    return Item("", None, State.DAMAGED, None, None, None, None, None, str(error))


def _state(
    document: Document, expires_at: datetime | None, lease: LeaseState | None, now: datetime
) -> State:
    if lease is not None and lease.owner is not None and lease.until > now:
        return State.REFRESHING
    if lease is not None and lease.retry_after > now:
        return State.COOLING_DOWN
    if not document.get("access_token"):
        return State.NO_ACCESS_TOKEN
    return State.EXPIRED if expires_at is not None and expires_at <= now else State.VALID


def _of_type(value: Any, kind: type) -> Any:
    return value if isinstance(value, kind) else None
