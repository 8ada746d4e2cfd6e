"""The record that a login is over, until another one replaces it. Pure functions."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from zoho_mongo_store.model.document import Document

LOGIN_REQUIRED_SINCE = "login_required_since"
LOGIN_REQUIRED_REASON = "login_required_reason"
LOGIN_REQUIRED_FOR = "login_required_for"

LOGIN_REQUIRED_FIELDS = (LOGIN_REQUIRED_SINCE, LOGIN_REQUIRED_REASON, LOGIN_REQUIRED_FOR)
"""The fields of a document whose login is over: since when (an indexed date), the reason (without
any secret), and the credential and request that Zoho refused (digests)."""

_DIGITS = 16


def digest(*values: str | None) -> str:
    """Hash values to 16 hex digits, which reveal none of them."""
    joined = "\0".join(value or "" for value in values)
    return hashlib.sha256(joined.encode()).hexdigest()[:_DIGITS]


def login_required_fields(
    document: Mapping[str, Any], request: str, reason: str, moment: datetime
) -> Document:
    """Return the fields which say that a login is over.

    Args:
        document: The stored token, with its secrets in plain text.
        request: The digest of the request that Zoho refused. With another client secret or data
            centre, the same credential may still work.
        reason: The reason, without any secret.
        moment: When it was found out.
    """
    return {
        LOGIN_REQUIRED_SINCE: moment,
        LOGIN_REQUIRED_REASON: reason,
        LOGIN_REQUIRED_FOR: f"{_credential(document)}:{request}",
    }


def is_login_required(document: Mapping[str, Any]) -> bool:
    """Whether the user has to log in again: the document still has the refused credential.

    Once a save brings another credential, this is false, even before the fields are removed.
    """
    refused: object = document.get(LOGIN_REQUIRED_FOR)
    return isinstance(refused, str) and refused.partition(":")[0] == _credential(document)


def refused_request(document: Mapping[str, Any]) -> str | None:
    """Return the digest of the request that was refused permanently, or ``None``."""
    if not is_login_required(document):
        return None
    request: str = document[LOGIN_REQUIRED_FOR].partition(":")[2]
    return request


def _credential(document: Mapping[str, Any]) -> str:
    """Hash the credential with which the document would get its next access token."""
    for field in ("refresh_token", "access_token", "grant_token"):
        if document.get(field):
            return digest(field, document[field])
    return digest()
