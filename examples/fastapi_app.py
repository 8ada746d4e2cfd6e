"""A JSON API in FastAPI, for the users who log in with Zoho; it shares the portal's tokens.

    uvicorn --app-dir examples fastapi_app:app

Endpoints are ``def``: FastAPI runs each in a thread, and the SDK's user belongs to a thread. In an
``async def`` endpoint ``acting_as`` raises; call the SDK through ``run_in_threadpool`` there.
SESSION_SECRET_KEY signs the sessions; for the other variables see zoho_login.py.
"""

import math
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contacts import Contact, contacts_of
from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware
from zoho_login import initialize, login, store

from zoho_mongo_store import CallbackError, LoginRequiredError, RefreshPausedError, ZohoUser


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Initialize the SDK once, and close the store at the end."""
    initialize()
    yield
    await run_in_threadpool(store.close)


app = FastAPI(lifespan=lifespan)
app.add_middleware(
    SessionMiddleware,
    secret_key=os.environ["SESSION_SECRET_KEY"],
    same_site="lax",
    https_only=os.environ.get("ZOHO_REDIRECT_URL", "").startswith("https://"),
)


@app.get("/login")
def begin_login(request: Request) -> RedirectResponse:
    """Send the user to Zoho, which does not ask again if they have accepted on the portal."""
    request.session["state"] = login.new_state()
    return RedirectResponse(login.authorize_url(request.session["state"], prompt=None))


@app.get("/callback")
def callback(request: Request) -> RedirectResponse:
    """Where Zoho sends the user back to."""
    user = login.complete(request.query_params, request.session.pop("state", None))
    request.session.clear()
    request.session["user"] = user
    return RedirectResponse("/contacts")


@app.get("/contacts")
def contacts(request: Request) -> list[Contact]:
    """The user's contacts."""
    return contacts_of(user_of(request))


@app.get("/contacts/count")
async def count(request: Request) -> int:
    """The number of contacts, from a coroutine: the SDK is called in a thread."""
    return len(await run_in_threadpool(contacts_of, user_of(request)))


@app.exception_handler(CallbackError)
def not_logged_in(_: Request, error: CallbackError) -> JSONResponse:
    """The callback logged nobody in."""
    return JSONResponse({"error": str(error)}, 400)


@app.exception_handler(LoginRequiredError)
def log_in_again(request: Request, _: LoginRequiredError) -> JSONResponse:
    """The user's access has ended."""
    request.session.clear()
    return JSONResponse({"error": "log in", "login": "/login"}, 401)


@app.exception_handler(RefreshPausedError)
def try_later(_: Request, error: RefreshPausedError) -> JSONResponse:
    """Zoho does not answer now."""
    seconds = max(1, math.ceil(error.retry_after.total_seconds()))
    return JSONResponse({"error": "try later"}, 503, {"Retry-After": str(seconds)})


def user_of(request: Request) -> ZohoUser:
    """The user of the session. Only the callback stores one there."""
    if "user" not in request.session:
        raise HTTPException(401, "log in at /login")
    return ZohoUser(*request.session["user"])
