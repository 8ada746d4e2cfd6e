"""A portal whose users log in with Zoho, and which shows each of them their CRM contacts.

    gunicorn -c examples/portal/gunicorn.conf.py

FLASK_SECRET_KEY signs the sessions; for the other variables see zoho_login.py. For a try register
``http://localhost:8000/callback`` with Zoho, or run loopback.py in place of Zoho.
docs/guides/login.md explains each step.
"""

import math
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from contacts import RefusedError, contacts_of
from flask import Flask, Response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse
from zoho_login import initialize, login
from zohocrmsdk.src.com.zoho.crm.api.exception import SDKException

from zoho_mongo_store import CallbackError, LoginRequiredError, RefreshPausedError, ZohoUser
from zoho_mongo_store.login import AccessDeniedError, InvalidStateError

initialize()

app = Flask(__name__)
app.secret_key = os.environ["FLASK_SECRET_KEY"]
app.config.update(
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_COOKIE_SECURE=os.environ.get("ZOHO_REDIRECT_URL", "").startswith("https://"),
)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    # The callback's address holds a grant token.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@app.get("/")
def home() -> str:
    """The user's contacts, or a link to log in."""
    user = current_user()
    if user is None:
        return render_template("welcome.html")
    return render_template("contacts.html", contacts=contacts_of(user))


@app.get("/login")
def begin_login() -> AnyResponse:
    """Send the user to Zoho."""
    session["state"] = login.new_state()
    return redirect(login.authorize_url(session["state"], login_hint=session.get("hint")))


@app.get("/callback")
def callback() -> AnyResponse:
    """Where Zoho sends the user back to."""
    user = login.complete(request.args, session.pop("state", None))
    session.clear()
    session["user"] = user
    return redirect(url_for("home"))


@app.post("/logout")
def log_out() -> AnyResponse:
    """Forget the session. The token stays, for jobs that run while the user is away."""
    session.clear()
    return redirect(url_for("home"), 303)


@app.errorhandler(CallbackError)
def not_logged_in(error: CallbackError) -> tuple[str, int]:
    """Say why the callback logged nobody in."""
    if isinstance(error, AccessDeniedError):
        text = "You chose “Reject” on Zoho's page, so nothing was shared with this portal."
    elif isinstance(error, InvalidStateError):
        text = "This login did not begin in this browser, or another one was begun meanwhile."
    else:
        app.logger.warning("A login failed: %s", error)
        text = "Zoho did not confirm who you are."
    return message("The login was not completed", text, action="Log in with Zoho"), 400


@app.errorhandler(LoginRequiredError)
def log_in_again(_: LoginRequiredError) -> tuple[str, int]:
    """Ask a user whose access has ended, for example by revoking it at Zoho, to log in."""
    user = current_user()
    session.clear()
    if user is not None:
        session["hint"] = email_of(user)
    text = "Zoho no longer lets this portal act for you. Log in once more to go on."
    return message("Please log in again", text, action="Log in again"), 401


@app.errorhandler(RefreshPausedError)
def try_later(error: RefreshPausedError) -> tuple[str, int, dict[str, str]]:
    """Say when it is worth trying again."""
    seconds = max(1, math.ceil(error.retry_after.total_seconds()))
    text = f"Zoho does not answer now. Try again in {seconds} s."
    return message("One moment", text), 503, {"Retry-After": str(seconds)}


@app.errorhandler(RefusedError)
@app.errorhandler(SDKException)
def failed(error: Exception) -> tuple[str, int]:
    """Say that it is not the user's fault; the details are in the log."""
    app.logger.error("A page failed: %s", error)
    return message("That did not work", "Your contacts cannot be read at the moment."), 502


@app.after_request
def secured(response: Response) -> Response:
    """Keep the contents of a page to this browser."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


@app.context_processor
def shown_everywhere() -> dict[str, str | None]:
    """The user of the session."""
    user = current_user()
    return {"email": email_of(user) if user else None}


def current_user() -> ZohoUser | None:
    """The user of the session. Only the callback stores one there."""
    return ZohoUser(*session["user"]) if "user" in session else None


def email_of(user: ZohoUser) -> str:
    """The e-mail address in the user's name."""
    return user.name.rpartition(":")[0]


def message(title: str, text: str, action: str | None = None) -> str:
    """A page with a short message."""
    return render_template("message.html", title=title, text=text, action=action)
