"""pymongo with nothing around it: the limit."""

from datetime import UTC, datetime
from typing import Any

from bson.codec_options import CodecOptions
from pymongo import MongoClient, ReturnDocument

from zoho_mongo_store.sdk import OAuthToken, TokenStore, UserSignature

Fields = dict[str, Any]


class RawStore(TokenStore):
    """One command for each call, and tokens from the SDK's constructor.

    Nothing is checked, bounded in time, refused, kept for later, coordinated or hidden.
    """

    def __init__(self, client: "MongoClient[Any]", database: str) -> None:
        self.collection = client[database].get_collection(
            "oauthtoken", codec_options=CodecOptions[Fields](tz_aware=True)
        )

    def find_token_by_id(self, id: str) -> OAuthToken | None:
        """The token with this id."""
        return self._find({"id": id})

    def find_token(self, token: OAuthToken) -> OAuthToken | None:
        """By the user's name, or else by the refresh token; a new token, as nothing is filled."""
        signature = token.get_user_signature()
        if signature is not None:
            return self._find({"user_name": signature.get_name()})
        return self._find({"refresh_token": token.get_refresh_token()})

    def save_token(self, token: OAuthToken) -> None:
        """Of a token with an id, a user and all its credentials."""
        signature = token.get_user_signature()
        fields = {
            "user_name": signature.get_name() if signature is not None else None,
            "client_id": token.get_client_id(),
            "client_secret": token.get_client_secret(),
            "refresh_token": token.get_refresh_token(),
            "access_token": token.get_access_token(),
            "grant_token": token.get_grant_token(),
            "expiry_time": datetime.fromtimestamp(int(token.get_expires_in() or 0) / 1000, UTC),
            "redirect_url": token.get_redirect_url(),
            "api_domain": token.get_api_domain(),
            "updated_at": datetime.now(UTC),
        }
        self.collection.find_one_and_update(
            {"id": token.get_id()},
            {"$set": fields},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )

    def get_tokens(self) -> list[OAuthToken]:
        """All of them."""
        return [_token(document) for document in self.collection.find(batch_size=1000)]

    def delete_token(self, id: str) -> None:
        """The one with this id."""
        self.collection.delete_one({"id": id})

    def delete_tokens(self) -> None:
        """All of them."""
        self.collection.delete_many({})

    def _find(self, filter: Fields) -> OAuthToken | None:
        document = self.collection.find_one(filter)
        return None if document is None else _token(document)


def _token(document: Fields) -> OAuthToken:
    token = OAuthToken(
        client_id=document["client_id"],
        client_secret=document["client_secret"],
        grant_token=document["grant_token"],
        refresh_token=document["refresh_token"],
        redirect_url=document["redirect_url"],
        id=document["id"],
        access_token=document["access_token"],
        user_signature=UserSignature(document["user_name"]),
        api_domain=document["api_domain"],
    )
    token.set_expires_in(str(int(document["expiry_time"].timestamp() * 1000)))
    return token
