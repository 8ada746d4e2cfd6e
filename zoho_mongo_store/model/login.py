"""Recognizes a login: a token with a credential that its document has never known."""

import hashlib
from collections.abc import Mapping
from typing import Any

KNOWN_CREDENTIALS = "known_credentials"
"""The field with digests of the grant and refresh tokens that were saved in a document."""
MAX_KNOWN_CREDENTIALS = 20

LOGIN_FIELDS = ("grant_token", "refresh_token")
"""The credentials that Zoho exchanges for an access token."""


def credential_digest(field: str, credential: str) -> str:
    """Compute the digest by which a document remembers a credential.

    A plain SHA-256 is enough: Zoho's tokens have 256 random bits, so a digest cannot be reversed by
    trying values, and needs no key.

    Args:
        field: ``grant_token`` or ``refresh_token``.
        credential: The credential.

    Returns:
        32 hexadecimal digits.
    """
    return hashlib.sha256(f"{field}\0{credential}".encode()).hexdigest()[:32]


def credential_digests(fields: Mapping[str, Any]) -> list[str]:
    """Compute the digests of the grant and refresh tokens in ``fields``, if any."""
    return [credential_digest(field, fields[field]) for field in LOGIN_FIELDS if field in fields]


def knows(document: Mapping[str, Any], field: str, credential: str) -> bool:
    """Whether a credential was ever saved in a document.

    The stored credential always counts: a document written by an older release has no digests.

    Args:
        document: A document from the token collection, with its secrets in plain text.
        field: ``grant_token`` or ``refresh_token``.
        credential: The credential to look for.
    """
    return document.get(field) == credential or credential_digest(
        field, credential
    ) in document.get(KNOWN_CREDENTIALS, ())


def is_login(fields: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether a token is a new login, so that the matching document must not be returned for it.

    A token with a user name is a login if it brings a grant or refresh token that the document has
    never known. A token without a name has matched by one of its credentials, so it is a login only
    if it would replace the stored refresh token with one that the document has never known. A token
    with an id is never a login.

    Args:
        fields: The token's fields, as ``to_document`` returns them.
        document: The document that a filter of the find order found.
    """
    if "id" in fields:
        return False
    brought: tuple[str, ...] = LOGIN_FIELDS
    if "user_name" not in fields:
        brought = ("refresh_token",) if "refresh_token" in document else ()
    return any(field in fields and not knows(document, field, fields[field]) for field in brought)


def is_first_save(document: Mapping[str, Any]) -> bool:
    """Whether a document that a save has just returned was inserted by that save."""
    return document.get("created_at") == document.get("updated_at")
