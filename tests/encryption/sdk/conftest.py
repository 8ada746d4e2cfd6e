"""The same Zoho as in ``tests/sdk``; the application is the one that encrypts."""

from tests.encryption.only_encrypted import only_encrypted
from tests.sdk.conftest import expire, zoho

__all__ = ["expire", "only_encrypted", "zoho"]
