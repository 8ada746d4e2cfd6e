"""The same site as in ``tests/login``; the store is the one that encrypts."""

from tests.encryption.only_encrypted import only_encrypted
from tests.login.conftest import login, running_site, site

__all__ = ["login", "only_encrypted", "running_site", "site"]
