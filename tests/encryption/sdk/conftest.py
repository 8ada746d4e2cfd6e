"""The same Zoho as in ``tests/sdk``; the application is the one that encrypts."""

from tests.sdk.conftest import expire, running_zoho, zoho

__all__ = ["expire", "running_zoho", "zoho"]
