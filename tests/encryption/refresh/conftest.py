"""The same Zoho as in ``tests/refresh``; the fleet is the one that encrypts."""

from tests.refresh.conftest import running_zoho, zoho

__all__ = ["running_zoho", "zoho"]
