"""What is in the database, read past the store."""

from typing import Any

from tests.sent_commands import Client
from tests.tokens import CLIENT

COLLECTION = "oauthtoken"


def documents(uri: str) -> list[dict[str, Any]]:
    """All documents of the default collection, in the order of their user names."""
    with Client(uri) as client:
        found = list(client.zohooauth[COLLECTION].find({}, {"_id": 0}))
    return sorted(found, key=lambda document: str(document.get("user_name")))


def login(user: str, number: int, size: int = 0) -> dict[str, Any]:
    """The fields of a user's token after the ``number``th refresh. Each bears the number, so that
    a document of two saves is seen; ``size`` makes it longer than one network packet."""
    return {
        "user_name": user,
        "refresh_token": f"refresh-{user}",
        "access_token": f"access-{user}-{number}",
        "expires_in": str(1795529348000 + number),
        "redirect_url": f"https://example.com/{number}/" + "x" * size,
        "api_domain": f"http://127.0.0.1:1/{number}",
        **CLIENT,
    }


def number_of(document: dict[str, Any]) -> int:
    """The number of the save that the document is of; fails when it is of more than one."""
    number = int(document["access_token"].rpartition("-")[2])
    assert document["api_domain"].endswith(f"/{number}")
    assert f"/{number}/" in document["redirect_url"]
    assert document["expiry_time"].timestamp() * 1000 % 1_000_000 == (348000 + number) % 1_000_000
    user = document["refresh_token"].removeprefix("refresh-")
    assert document["access_token"] == f"access-{user}-{number}"
    assert document.get("user_name", user) == user
    return number
