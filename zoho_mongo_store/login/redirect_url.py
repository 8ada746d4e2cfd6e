"""The address that Zoho sends a user back to, with a grant token in it."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def checked_redirect_url(redirect_url: str) -> str:
    """Check that a grant token does not travel to it in the clear (RFC 9700, RFC 8252).

    Raises:
        ValueError: It is no whole address, or plain http to another machine.
    """
    parts = urlsplit(redirect_url)
    whole = parts.scheme in ("https", "http") and parts.hostname and not parts.fragment
    # What stands before an @ looks like a host and is none: http://localhost:80@elsewhere.example
    if not whole or "@" in parts.netloc:
        raise ValueError("redirect_url has to be the whole address, as registered with Zoho")
    if parts.scheme == "http" and not _is_loopback(str(parts.hostname)):
        raise ValueError(
            "redirect_url has to begin with https://, since a grant token is sent to it. "
            "Only on this machine (localhost, 127.0.0.1, [::1]) may it be plain http"
        )
    return redirect_url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
