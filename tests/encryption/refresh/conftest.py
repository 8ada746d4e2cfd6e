"""The same Zoho as in ``tests/refresh``; the fleet is the one that encrypts."""

from tests.encryption.only_encrypted import only_encrypted
from tests.refresh.conftest import zoho

__all__ = ["only_encrypted", "zoho"]
