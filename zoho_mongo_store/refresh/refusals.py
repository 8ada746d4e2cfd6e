"""What Zoho's refusals mean, judged by the ``error`` field of its answer.

Neither the status nor the text tells: Zoho refuses with both 200 and 400, and its texts are in the
language of the data centre.
"""

from enum import Enum

from zoho_mongo_store.redemption import Redemption


class Refusal(Enum):
    """What follows from a refusal.

    Attributes:
        LASTING: The credential no longer works: the user has to log in again.
        CLIENT: The request's client id, client secret, redirect URI or data centre is wrong; the
            credential may be valid.
        PASSING: A later try may succeed.
    """

    LASTING = "lasting"
    CLIENT = "client"
    PASSING = "passing"


# https://www.zoho.com/crm/developer/docs/api/v8/refresh.html and access-refresh.html, "Possible
# errors"; invalid_grant is the name of the same error in RFC 6749, section 5.2.
_LASTING = {
    Redemption.REFRESH: frozenset({"invalid_code", "invalid_grant"}),
    Redemption.GRANT: frozenset({"invalid_code", "invalid_grant"}),
}
_CLIENT = frozenset(
    {
        "invalid_client",
        "invalid_client_secret",
        "unauthorized_client",
        "invalid_redirect_uri",
        "redirect_uri_mismatch",
    }
)

_ADVICE = {
    Refusal.LASTING: "the user has ended the access, or belongs to another data centre",
    Refusal.CLIENT: "check the client id, the client secret, the redirect URL and the data centre",
}
_LOGIN_AGAIN = {
    Redemption.REFRESH: ("Zoho no longer accepts the refresh token: the user has to log in again"),
    Redemption.GRANT: (
        "Zoho does not accept the grant token, which can be exchanged once, within minutes, at the "
        "user's data centre: the user has to log in again"
    ),
}


def classify(redemption: Redemption, error: str) -> Refusal:
    """Return what a refusal means.

    Args:
        redemption: What was redeemed.
        error: The ``error`` field of Zoho's answer.

    Returns:
        ``PASSING`` for the throttle (``Access Denied``, in any language) and for every error that
        is not documented.
    """
    if error in _LASTING[redemption]:
        return Refusal.LASTING
    return Refusal.CLIENT if error in _CLIENT else Refusal.PASSING


def explained(refusal: Refusal, error: str) -> str:
    """Add what to do to Zoho's ``error``."""
    advice = _ADVICE.get(refusal)
    return f"{error}: {advice}" if advice else error


def login_again(redemption: Redemption, error: str) -> str:
    """Say that the user has to log in again, and why."""
    return f"{error}: {_LOGIN_AGAIN[redemption]}"
