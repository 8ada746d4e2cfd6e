"""Drives every method of the store through every failure, with secrets that are marked.

Whatever can be shown is printed: all logging at DEBUG but pymongo's own, warnings, the text, repr
and chained traceback of each exception, with the local variables of the store's own frames. The
last line says how many failures there were.
"""

import contextlib
import logging
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import zoho_mongo_store.store
from tests.sent_commands import Client
from tests.tokens import make_token
from zoho_mongo_store import CachePolicy, MongoTokenStore
from zoho_mongo_store.sdk import Initializer, OAuthToken, UserSignature
from zoho_mongo_store.testing import LocalMongo, LoopbackZoho

MARK = "s3cr3t"
PACKAGE = str(Path(zoho_mongo_store.store.__file__).parent)
FIELDS = ("client_secret", "refresh_token", "access_token", "grant_token")
SECRETS: dict[str, Any] = {field: f"{MARK}-{field}" for field in FIELDS}
PASSWORD = f"{MARK}-password"

failures = 0


def own(file: str) -> bool:
    """Whether a frame is the store's own, and not a test server's."""
    return file.startswith(PACKAGE) and "/testing/" not in file


class Shown(logging.Handler):
    """Prints each record."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] == "pymongo":
            return
        print("LOG", record.name, record.levelname, self.format(record))


def show(error: BaseException) -> None:
    """Print all that an exception shows, and those that led to it."""
    print("ERROR", error, repr(error), error.args, vars(error))
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    while shown is not None:
        print("".join(shown.format_exception_only()))
        for frame in shown.stack:
            if own(frame.filename):
                print("FRAME", frame.name, frame.locals)
        shown = shown.__cause__ or shown.__context__  # type: ignore[assignment]


def attempt(operation: Callable[[], object], expected: bool = True) -> None:
    """Call what may fail, or has to."""
    global failures
    try:
        operation()
    except Exception as error:
        failures += 1
        show(error)
    else:
        assert not expected, "nothing failed"


def token(**changes: Any) -> OAuthToken:
    """A token with all secrets."""
    fields = {"client_id": "client", **SECRETS, "user_name": "ada", **changes}
    return make_token(**fields)


def methods(store: MongoTokenStore) -> list[Callable[[], object]]:
    """Every method that goes to MongoDB."""
    return [
        lambda: store.find_token(token()),
        lambda: store.find_token(token(user_name=None)),
        lambda: store.find_token_by_id("7"),
        lambda: store.save_token(token()),
        lambda: store.save_token(token(user_name=None)),
        lambda: store.save_token(token(id="7", user_name="bob")),
        lambda: store.delete_token("7"),
        lambda: store.get_tokens(),
        lambda: list(store.iter_tokens(batch_size=1)),
        lambda: store.ensure_indexes(),
        lambda: store.delete_tokens(),
    ]


def wrong_input(store: MongoTokenStore) -> None:
    """Values of wrong types and texts, with secrets in them."""
    wrong: list[Any] = [{"$ne": MARK}, [MARK], (MARK,), MARK.encode(), f"{MARK}\ud800", 5]
    for value in wrong:
        for field in (*FIELDS, "id", "client_id", "redirect_url", "api_domain", "expires_in"):
            for method in (store.find_token, store.save_token):
                bad = token()
                getattr(bad, f"set_{field}")(value)
                attempt(lambda: method(bad), expected=value != 5 or field != "expires_in")  # noqa: B023
        for by_id in (store.find_token_by_id, store.delete_token):
            attempt(lambda: by_id(value))  # noqa: B023
        for name in (UserSignature(value), value):
            bad = token(user_name=None)
            bad.set_user_signature(name)
            attempt(lambda: store.save_token(bad))  # noqa: B023
        attempt(lambda: store.save_token(value))  # noqa: B023
    for expiry in (MARK, "1" * 30, f"12{MARK}"):
        attempt(lambda: store.save_token(token(expires_in=expiry)))  # noqa: B023
    attempt(lambda: store.save_token(token(redirect_url="x" * (17 << 20))))


def read(uri: str) -> None:
    """Read all tokens with a store of its own."""
    with MongoTokenStore(uri, timeout=0.1) as store:
        store.get_tokens()


def wrong_settings() -> None:
    """Options and URIs that are refused, with passwords in them."""
    for uri in (
        f"mongodb://u:{PASSWORD}",
        f"mongodb://u:{PASSWORD}@",
        f"mongodb://u:{PASSWORD}@h:port",
        f"mongodb://u:{PASSWORD}/x@h",
        f"mongodb://u:a:{PASSWORD}@h",
        f"mongodb://u:{PASSWORD}%zz@h",
        f"mongodb://u:{PASSWORD}@h/?authMechanism={MARK}",
        f"mongodb://u:{PASSWORD}@h/?authMechanism=GSSAPI&authMechanismProperties={MARK}",
        f"mongodb://u:{PASSWORD}@h/?tls=true&tlsCertificateKeyFilePassword={MARK}"
        "&tlsCertificateKeyFile=/missing",
        f"mongodb://u:{PASSWORD}@h/?w={MARK}&j=maybe",
        f"postgres://u:{PASSWORD}@h",
        f"u:{PASSWORD}@h",
        f"mongodb+srv://u:{PASSWORD}@h:1/",
    ):
        attempt(lambda: read(uri))  # noqa: B023
    options: list[dict[str, Any]] = [
        {"timeout": MARK},
        {"cache": MARK},
        {"expire_idle_after": MARK},
        {"client": MARK, "uri": f"mongodb://u:{PASSWORD}@h"},
    ]
    for one in options:
        attempt(lambda: MongoTokenStore(**one))  # noqa: B023


def away() -> None:
    """Nobody listens; and the cache in an outage, and what is lost on ``close``."""
    for outage in (None, timedelta(minutes=1)):
        uri = f"mongodb://u:{PASSWORD}@127.0.0.1:1/"
        cache = None if outage is None else CachePolicy(stale_if_error=outage)
        with MongoTokenStore(uri, timeout=0.1, cache=cache) as store:
            for method in methods(store)[:6]:
                attempt(method)
            print("REPR", repr(store), str(store), store.refresh_stats(), repr(token()))
        for method in methods(store):
            attempt(method)


@contextlib.contextmanager
def fault(admin: Client, **data: Any) -> Iterator[None]:
    """All commands of the store's meet it."""
    commands = ["find", "findAndModify", "update", "delete", "getMore", "listIndexes"]
    data = {"failCommands": [*commands, "createIndexes"], "appName": "store", **data}
    admin.admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data=data)
    yield
    admin.admin.command("configureFailPoint", "failCommand", mode="off")


def server_faults(server: LocalMongo, admin: Client) -> None:
    """Errors of every kind that a server answers with, and none at all."""
    options = "&appName=store&serverMonitoringMode=poll&heartbeatFrequencyMS=500"
    with MongoTokenStore(server.uri + options) as store:
        for method in methods(store):
            method()
        wrong_input(store)
    with MongoTokenStore(server.uri + options, timeout=1) as store:
        # 121 and 11000 are not to be had so: they come below, from a validator and an index.
        for code in (1, 13, 18, 50, 59, 112, 133, 8000, 10107):
            with fault(admin, errorCode=code):
                for method in methods(store):
                    attempt(method)
        with fault(admin, closeConnection=True):
            for method in methods(store):
                attempt(method)
        server.stop()
        for method in methods(store)[:4]:
            attempt(method)
        server.cont()
        attempt(store.get_tokens, expected=False)
    # Errors that quote values: a unique index of somebody else's, and a validator.
    tokens = admin.zohooauth.oauthtoken
    tokens.delete_many({})
    for field in FIELDS:
        tokens.drop_indexes()
        tokens.create_index(field, unique=True, name="other")
        with MongoTokenStore(server.uri, create_indexes=False) as store:
            store.save_token(token(user_name="eve", client_id="other"))
            attempt(lambda: store.save_token(token()))
        tokens.delete_many({})
    tokens.drop_indexes()
    admin.zohooauth.command("collMod", "oauthtoken", validator={"$jsonSchema": {"required": ["x"]}})
    with MongoTokenStore(server.uri) as store:
        attempt(lambda: store.save_token(token()))
    admin.zohooauth.command("collMod", "oauthtoken", validator={})
    damaged: list[dict[str, Any]] = [
        {"access_token": {"a": MARK}},
        {"expiry_time": MARK},
        {"user_name": [MARK]},
        {"refresh_token": MARK.encode()},
    ]
    for one in damaged:
        tokens.delete_many({})
        tokens.insert_one({"id": "7", **SECRETS, **one})
        with MongoTokenStore(server.uri) as store:
            attempt(lambda: store.find_token_by_id("7"))
            attempt(lambda: store.get_tokens())
    tokens.delete_many({})


def with_the_sdk(server: LocalMongo, zoho: LoopbackZoho) -> list[str]:
    """The SDK's own way, with Zoho failing, and MongoDB; what it logs of what it swallows.

    Returns Zoho's secrets, which bear no mark.
    """
    client = {"client_id": zoho.client_id, "client_secret": zoho.client_secret}
    stores = MongoTokenStore(server.uri, timeout=3)
    secrets = [zoho.client_secret]
    with tempfile.TemporaryDirectory() as folder, stores as store:

        def initialize(fields: dict[str, Any]) -> OAuthToken:
            made = make_token(**client, **fields)
            Initializer.initialize(
                environment=zoho.environment(), token=made, store=store, resource_path=folder
            )
            return made

        first = zoho.grant()
        used = initialize({"grant_token": first})
        attempt(used.get_token, expected=False)
        secrets += [first, str(used.get_refresh_token()), str(used.get_access_token())]
        for failure in ("throttle", "invalid_code", "garbage", "close"):
            refresh_token = zoho.refresh_token(user=f"{failure}@example.com")
            secrets.append(refresh_token)
            zoho.configure(failure=failure)
            expired = {"refresh_token": refresh_token, "access_token": MARK, "expires_in": "1"}
            for _ in range(2):
                attempt(lambda: initialize(expired).get_token())  # noqa: B023
            attempt(lambda: initialize({"grant_token": f"{MARK}-grant"}).get_token())
        zoho.configure(failure=None)
        zoho.refuse_with("OAUTH_SCOPE_MISMATCH")
        attempt(lambda: initialize({"grant_token": zoho.grant()}).get_token(), expected=False)
        zoho.refuse_with(None)
        last = initialize({"refresh_token": zoho.refresh_token(user="b@example.com")})
        attempt(last.get_token, expected=False)
        secrets += [str(last.get_refresh_token()), str(last.get_access_token())]
        server.kill()
        attempt(last.get_token)
        attempt(lambda: initialize({"grant_token": f"{MARK}-grant"}).get_token())
        log = Path(folder).rglob("*.log")
        print("SDK LOG", *(path.read_text() for path in log))
    return secrets


def main() -> None:
    """Do all of it, and say which secrets must not have been printed."""
    logging.basicConfig(level=logging.DEBUG, handlers=[Shown()], force=True)
    wrong_settings()
    away()
    with LocalMongo(test_commands=True) as server, LoopbackZoho() as zoho:
        with Client(server.uri) as admin:
            server_faults(server, admin)
        secrets = with_the_sdk(server, zoho)
    Path(sys.argv[1]).write_text("\n".join([MARK, *secrets]))
    print("failures:", failures)


if __name__ == "__main__":
    main()
