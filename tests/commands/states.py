"""Brings stored tokens into the states that the commands tell of, as the store does."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from pymongo.collection import Collection

from zoho_mongo_store.model.login_state import login_required_fields
from zoho_mongo_store.refresh.lease import Failure, Lease, lease_key
from zoho_mongo_store.refresh.leases import Leases
from zoho_mongo_store.refresh.policy import RefreshPolicy
from zoho_mongo_store.storage.lease_collection import lease_collection

Tokens = Collection[dict[str, Any]]

REQUEST = "0123456789abcdef"
COOL_DOWN = timedelta(minutes=5)
DEAD = "invalid_code: the user has to log in again"


def begin_refresh(
    tokens: Tokens, user: str, *, ago: float = 0, credential: str = "refresh_token"
) -> Lease:
    """A process begins to refresh the token of a user."""
    token = tokens.find_one({"user_name": user})
    assert token is not None
    key = lease_key(credential, token[credential])
    began = datetime.now(UTC) - timedelta(seconds=ago)
    lease = _leases(tokens).acquire(key, f"{REQUEST}{ago}", began, token_id=token["id"])
    assert lease is not None
    return lease


def cool_down(
    tokens: Tokens,
    user: str,
    reason: str,
    *,
    credential: str = "refresh_token",
    is_over: bool = False,
) -> None:
    """Zoho refused; for good, if the login is over."""
    lease = begin_refresh(tokens, user, credential=credential)
    failure = Failure(
        "INVALID TOKEN ERROR", reason, refused=True, lasting=is_over, login_required=is_over
    )
    assert _leases(tokens).fail(lease, failure, datetime.now(UTC))


def reach_limit(tokens: Tokens, user: str) -> None:
    """Ten requests in ten seconds, each of which got a token."""
    for second in range(10):
        assert _leases(tokens).succeed(begin_refresh(tokens, user, ago=10 - second))


def end_login(tokens: Tokens, user: str, *, ago: float = 0) -> None:
    """Zoho refused the refresh token for good."""
    token = tokens.find_one({"user_name": user})
    assert token is not None
    moment = datetime.now(UTC) - timedelta(seconds=ago)
    fields = login_required_fields(token, REQUEST, DEAD, moment)
    tokens.update_one({"_id": token["_id"]}, {"$set": fields})


def _leases(tokens: Tokens) -> Leases:
    aware = tokens.with_options(codec_options=CodecOptions[Any](tz_aware=True))
    policy = RefreshPolicy(refusal_cool_down=COOL_DOWN, network_cool_down=COOL_DOWN)
    return Leases(lambda: lease_collection(aware), 30, policy)
