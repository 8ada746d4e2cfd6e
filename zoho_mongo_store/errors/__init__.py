"""Turns every failure into an SDKException that says what to do and shows no secret."""

from zoho_mongo_store.errors.answers import lacks_privilege
from zoho_mongo_store.errors.kinds import (
    InvalidInputError,
    KeyServiceError,
    StoreError,
    UnresolvedNameError,
    is_lost_connection,
    is_unreachable,
)
from zoho_mongo_store.errors.redaction import keeping_words, redacted, without
from zoho_mongo_store.errors.translation import TOKEN_STORE, explanation, failure, translate_errors

__all__ = [
    "TOKEN_STORE",
    "InvalidInputError",
    "KeyServiceError",
    "StoreError",
    "UnresolvedNameError",
    "explanation",
    "failure",
    "is_lost_connection",
    "is_unreachable",
    "keeping_words",
    "lacks_privilege",
    "redacted",
    "translate_errors",
    "without",
]
