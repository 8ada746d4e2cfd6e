"""Checks the URL to which Zoho sends a user back with a grant token."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def checked_redirect_url(redirect_url: str) -> str:
    """Check that no grant token is sent to it in the clear (RFC 9700, RFC 8252).

    Raises:
        ValueError: It is not a complete URL, or is plain http to another machine.
    """
    parts = urlsplit(redirect_url)
    whole = parts.scheme in ("https", "http") and parts.hostname and not parts.fragment
    # The text before an @ looks like the host but is not: http://localhost:80@elsewhere.example
    if not whole or "@" in parts.netloc:
        raise ValueError("redirect_url must be the complete URL, as registered with Zoho")
    if parts.scheme == "http" and not _is_loopback(str(parts.hostname)):
        raise ValueError(
            "redirect_url must begin with https://, because grant tokens are sent to it. Plain "
            "http is allowed only for this machine (localhost, 127.0.0.1, [::1])"
        )
    return redirect_url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
