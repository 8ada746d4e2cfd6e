"""The bodies of Zoho's answers, as far as the SDK reads them. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zoho_mongo_store.testing.zoho.credentials import Issued
from zoho_mongo_store.testing.zoho.protocol import Language

_THROTTLED: dict[Language, tuple[str, str]] = {
    "en": (
        "Access Denied",
        "You have made too many requests continuously. Please try again after some time.",
    ),
    "zh": ("拒绝访问", "您连续提出了太多请求。请过一段时间再试。"),
}
_DESCRIPTIONS = {
    "invalid_code": "授权码无效或已过期。",
    "invalid_client": "客户端无效。",
    "invalid_client_secret": "客户端密钥无效。",
    "invalid_redirect_uri": "重定向地址无效。",
    "general_error": "出现错误。",
}

CRM_ERRORS = {
    "INVALID_TOKEN": (401, "invalid oauth token"),
    "OAUTH_SCOPE_MISMATCH": (401, "invalid oauth scope to access this URL"),
    "NO_PERMISSION": (403, "permission denied"),
    "INVALID_MODULE": (400, "the module name given seems to be invalid"),
    "INVALID_DATA": (400, "invalid data"),
    "INVALID_QUERY": (400, "invalid query formed"),
    "INVALID_REQUEST_METHOD": (405, "The http request method type is not a valid one"),
    "INVALID_URL_PATTERN": (404, "Please check if the URL trying to access is a correct one"),
    "REQUIRED_PARAM_MISSING": (400, "One of the expected parameter is missing"),
    "TOO_MANY_REQUESTS": (429, "You have made too many requests"),
    "INTERNAL_ERROR": (500, "Internal Server Error"),
}
"""Status and message of the CRM API's errors by code."""


@dataclass(frozen=True)
class Answer:
    """A JSON body and its HTTP status."""

    body: Any
    http_status: int = 200

    @property
    def status(self) -> str:
        """``"ok"``, or the error in the body."""
        if not isinstance(self.body, dict):
            return "ok"
        return str(self.body.get("error") or self.body.get("code") or "ok")


def tokens(issued: Issued, url: str, lifetime: int) -> Answer:
    """Answer with new tokens; ``expires_in`` is in seconds.

    ``api_domain`` is the loopback's own URL: a real Zoho domain would make the SDK switch to the
    live data centre.
    """
    body = {
        "access_token": issued.access_token,
        "api_domain": url,
        "token_type": "Bearer",
        "expires_in": lifetime,
    }
    if issued.refresh_token is not None:
        body["refresh_token"] = issued.refresh_token
    return Answer(body)


def refusal(error: str, http_status: int = 200, language: Language = "en") -> Answer:
    """Refuse as the accounts server does, mostly with status 200.

    The error is a code in every language. Only other languages add a description.
    """
    body = {"error": error}
    if language != "en":
        body["error_description"] = _DESCRIPTIONS.get(error, "请求无效。")
    return Answer(body, http_status)


def throttled(http_status: int, language: Language = "en") -> Answer:
    """Refuse more than 10 access tokens in 10 minutes: with text in the user's language."""
    error, description = _THROTTLED[language]
    body = {"error": error, "error_description": description, "status": "failure"}
    return Answer(body, http_status)


def revoked() -> Answer:
    """Confirm that a refresh token has been revoked."""
    return Answer({"status": "success"})


def crm_error(code: str, http_status: int | None = None, **details: str) -> Answer:
    """Refuse as the CRM API does, with Zoho's status for the error unless one is given."""
    usual_status, message = CRM_ERRORS.get(code, (400, "the request was refused"))
    body = {"code": code, "details": details, "message": message, "status": "error"}
    return Answer(body, http_status or usual_status)
