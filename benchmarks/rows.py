"""The tokens that every peer is filled with, as rows of the SDK's MySQL table."""

import hashlib
import time
from collections.abc import Iterator

from zoho_mongo_store.sdk import OAuthToken, UserSignature

Row = dict[str, str]

CLIENT_ID = "1000.BENCHMARKCLIENT0123456789ABCDEF"
CLIENT_SECRET = hashlib.sha256(b"client secret").hexdigest()[:42]
# Far away, so that nothing is due.
EXPIRY = str(int(time.time() * 1000) + 30 * 24 * 3_600_000)


def row(number: int) -> Row:
    """A token as it is after a login, of the lengths that Zoho's have."""
    return {
        "id": str(number),
        "user_name": f"user{number}@example.com:60001234567",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": _credential("refresh", number),
        "access_token": _credential("access", number),
        "grant_token": _credential("grant", number),
        "expiry_time": EXPIRY,
        "redirect_url": "https://example.com/callback",
        "api_domain": "https://www.zohoapis.com",
    }


def rows(count: int) -> Iterator[Row]:
    """Rows 1 to ``count``."""
    return map(row, range(1, count + 1))


def token_of(row: Row) -> OAuthToken:
    """The token with everything that is in ``row``."""
    token = OAuthToken(
        client_id=row["client_id"],
        client_secret=row["client_secret"],
        grant_token=row["grant_token"],
        refresh_token=row["refresh_token"],
        redirect_url=row["redirect_url"],
        id=row["id"],
        access_token=row["access_token"],
        user_signature=UserSignature(row["user_name"]),
        api_domain=row["api_domain"],
    )
    token.set_expires_in(row["expiry_time"])
    return token


def wanted(operation: str, row: Row) -> OAuthToken:
    """What an application looks the token in ``row`` up with; by its id, that alone is enough."""
    if operation == "by user name":
        signature = UserSignature(row["user_name"])
        return OAuthToken(CLIENT_ID, CLIENT_SECRET, user_signature=signature)
    return OAuthToken(CLIENT_ID, CLIENT_SECRET, refresh_token=row["refresh_token"])


def _credential(kind: str, number: int) -> str:
    digits = hashlib.sha256(f"{kind} {number}".encode()).hexdigest()
    return f"1000.{digits[:32]}.{digits[32:]}"
