"""Everything that the package does to MongoDB, one entry for each: store, refresh and commands.

What has to hold for all of it, such as its query plans and its privileges, is tested over this
table.
"""

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import CommandLine, Result
from tests.encryption.keys import settings
from tests.refresh.callers import CLIENT, Fleet, ask, by_id, driving
from tests.tokens import make_token
from tests.transfer.sources import in_hours, with_filestore
from zoho_mongo_store import FieldEncryption, MongoTokenStore
from zoho_mongo_store.encryption import maintenance
from zoho_mongo_store.sdk import OAuthToken
from zoho_mongo_store.testing import LoopbackZoho

TOKENS = "oauthtoken"
LEASES = f"{TOKENS}.leases"
KEY_VAULT = "__keyVault"
COLLECTIONS = (TOKENS, LEASES, KEY_VAULT)


@dataclass
class Place:
    """A database with stored tokens, and how to reach it."""

    uri: str
    database: str
    zoho: LoopbackZoho
    folder: Path
    master_key: bytes | None = None
    """With it everything is encrypted."""
    options: dict[str, Any] = field(default_factory=dict)
    """The stores'."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def encryption(self) -> FieldEncryption | None:
        """The stores'."""
        return None if self.master_key is None else settings(self.database, self.master_key)

    def of(self, uri: str) -> "Place":
        """The same, reached as another user."""
        return replace(self, uri=uri)

    def store(self) -> MongoTokenStore:
        """A store; indexes are made by ``init`` alone."""
        return MongoTokenStore(
            self.uri,
            **{
                "database": self.database,
                "create_indexes": False,
                "timeout": 30,
                "encryption": self.encryption,
                **self.options,
            },
        )

    def token(self, *names: str) -> OAuthToken:
        """One of the stored tokens, each time another one; only these of its fields."""
        fields = stored(next(self._numbers))
        return make_token(**{name: fields[name] for name in names})

    def run(self, *arguments: str, **variables: str) -> Result:
        """Run a command, which has to end well."""
        result = self.try_to_run(*arguments, **variables)
        assert (result.status, result.errors) == (0, "")
        return result

    def try_to_run(self, *arguments: str, **variables: str) -> Result:
        """Run a command."""
        place = {"ZOHO_MONGO_URI": self.uri, "ZOHO_MONGO_DATABASE": self.database}
        return CommandLine(place | self._keys(), self.folder)(*arguments, **variables)

    def fleet(self) -> Fleet:
        """Callers of the SDK."""
        options = {"create_indexes": False, "encryption": self.encryption, **self.options}
        return Fleet(self.uri, self.database, self.zoho, options)

    def seed(self, tokens: int) -> None:
        """Store so many tokens."""
        with self.store() as store:
            for number in range(tokens):
                store.save_token(make_token(**stored(number)))

    def _keys(self) -> dict[str, str]:
        if self.master_key is None:
            return {}
        path = self.folder / "kms.json"
        path.write_text(json.dumps({"local": {"key": base64.b64encode(self.master_key).decode()}}))
        path.chmod(0o600)
        return {
            "ZOHO_MONGO_KMS_PROVIDERS": str(path),
            "ZOHO_MONGO_KEY_VAULT": f"{self.database}.{KEY_VAULT}",
        }


Operation = Callable[[Place], object]


def stored(number: int) -> dict[str, Any]:
    """The fields of a stored token."""
    return {
        "id": str(1000 + number),
        "user_name": f"user{number}@example.com:1",
        "refresh_token": f"R{number}",
        "access_token": f"A{number}",
        "grant_token": f"G{number}",
        "expires_in": in_hours(1),
        **CLIENT,
    }


def new(number: str, *names: str) -> OAuthToken:
    """A token that is not stored, with these fields."""
    fields = {
        "id": f"new{number}",
        "user_name": f"new{number}@example.com:1",
        "refresh_token": f"new R{number}",
        "access_token": f"new A{number}",
        "grant_token": f"new G{number}",
        **CLIENT,
    }
    return make_token(**{name: fields[name] for name in names})


_BY_ACCESS_TOKEN = ("access_token",)
_BY_GRANT_TOKEN = ("grant_token", *CLIENT)
_BY_REFRESH_TOKEN = ("refresh_token", *CLIENT)
_BY_USER = ("user_name", *CLIENT)
_LOGIN = ("user_name", "refresh_token", "access_token", *CLIENT)


def _find(*names: str) -> Operation:
    def operation(place: Place) -> None:
        with place.store() as store:
            assert store.find_token(place.token(*names)) is not None

    return operation


def _miss(*names: str) -> Operation:
    def operation(place: Place) -> None:
        with place.store() as store:
            assert store.find_token(new("", *names)) is None

    return operation


def _save(*names: str) -> Operation:
    def operation(place: Place) -> None:
        with place.store() as store:
            store.save_token(place.token(*names))

    return operation


def _save_new(*names: str) -> Operation:
    def operation(place: Place) -> None:
        with place.store() as store:
            store.save_token(new(" ".join(names), *names))

    return operation


def _find_by_id(place: Place) -> None:
    with place.store() as store:
        assert store.find_token_by_id(str(place.token("id").get_id())) is not None
        assert store.find_token_by_id("unknown") is None


def _adopt(place: Place) -> None:
    """A user name comes to a token that had none."""
    with place.store() as store:
        store.save_token(new("nameless", "refresh_token", *CLIENT))
        store.save_token(new("nameless", "refresh_token", "user_name", *CLIENT))


def _take_name(place: Place) -> None:
    """A user name goes from one token to another."""
    owner, other = place.token("user_name"), place.token("id")
    other.set_user_signature(owner.get_user_signature())
    with place.store() as store:
        store.save_token(other)


def _delete(place: Place) -> None:
    with place.store() as store:
        store.delete_token(str(place.token("id").get_id()))


def _get_all(place: Place) -> None:
    with place.store() as store:
        assert store.get_tokens()


def _iterate(place: Place) -> None:
    with place.store() as store:
        assert list(store.iter_tokens(batch_size=7))


def _delete_all(place: Place) -> None:
    with place.store() as store:
        store.delete_tokens()
        assert store.get_tokens() == []


def _refresh(place: Place) -> None:
    fleet = place.fleet()
    fields = fleet.stored()
    with fleet.store() as store, driving(store, place.zoho):
        assert ask(make_token(**by_id(fields))).access_token


def _refused_refresh(place: Place) -> None:
    fleet = place.fleet()
    fields = fleet.stored()
    place.zoho.configure(failure="throttle")
    try:
        with fleet.store() as store, driving(store, place.zoho):
            # The second caller meets the cool-down.
            for _ in range(2):
                assert ask(make_token(**by_id(fields))).message
    finally:
        place.zoho.configure(failure=None)


def _exchange_grant(place: Place) -> None:
    fleet = place.fleet()
    token = make_token(grant_token=place.zoho.grant(), **CLIENT)
    with fleet.store() as store, driving(store, place.zoho):
        assert ask(token).access_token


def _import(place: Place) -> None:
    known = [place.token(*stored(0)) for _ in range(3)]
    tokens = [*known, *(new(f"imported {n}", *_LOGIN) for n in range(5))]
    for token in tokens:
        token.set_expires_in(in_hours(2))
    path = place.folder / "tokens.csv"
    path.unlink(missing_ok=True)
    result = place.try_to_run("import", "filestore", str(with_filestore(path, tokens)), "--json")
    assert (result.json["inserted"], result.json["updated"]) == (5, 3), result


def _export(place: Place) -> None:
    result = place.try_to_run("export", "--show-secrets")
    assert (result.status, result.output.count('"refresh_token"') > 1) == (0, True), result


def _command(*arguments: str) -> Operation:
    return lambda place: place.run(*arguments)


def _show(place: Place) -> None:
    place.run("show", str(place.token("id").get_id()))


def _list_user(place: Place) -> None:
    signature = place.token("user_name").get_user_signature()
    assert signature is not None
    place.run("list", "--user", str(signature.get_name()))


def _delete_command(place: Place) -> None:
    place.run("delete", "--yes", str(place.token("id").get_id()))


def _revoke(place: Place) -> None:
    fields = place.fleet().stored()
    place.run("revoke", fields["id"], "--accounts-url", place.zoho.url, "--yes")


def _refresh_command(place: Place) -> None:
    fields = place.fleet().stored()
    place.run("refresh", fields["id"], "--accounts-url", place.zoho.url)


def _expire(place: Place) -> None:
    place.run("expire", place.fleet().stored()["id"])


def _doctor(place: Place) -> None:
    findings = place.try_to_run("doctor", "--json").json
    assert [one for one in findings if one["result"] == "failed"] == []


def _rotate_data_key(place: Place) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # No other process is at work, so there is nobody to wait for.
        patch.setattr(maintenance, "LATEST_SECONDS", 0)
        place.run("rotate-keys", "--data-key", "--store-timeout", "0", "--json")


STORE: dict[str, Operation] = {
    "find by id": _find_by_id,
    "find by user name": _find(*_BY_USER),
    "find by access token": _find(*_BY_ACCESS_TOKEN),
    "find by grant token": _find(*_BY_GRANT_TOKEN),
    "find by refresh token": _find(*_BY_REFRESH_TOKEN),
    "find an unknown user": _miss("user_name", "grant_token", "refresh_token", *CLIENT),
    "find an unknown access token": _miss("user_name", *_BY_ACCESS_TOKEN),
    "save by id": _save("id", "access_token"),
    "save by user name": _save("user_name", "access_token"),
    "save by access token": _save("access_token"),
    "save by grant token": _save("grant_token", "access_token", *CLIENT),
    "save by refresh token": _save("refresh_token", "access_token", *CLIENT),
    "save all fields": _save(*stored(0)),
    "save a new id": _save_new("id", "access_token"),
    "save a new user": _save_new("user_name", "grant_token", "refresh_token", *CLIENT),
    "save a new access token": _save_new("access_token"),
    "save a new grant token": _save_new("grant_token", *CLIENT),
    "save a new refresh token": _save_new("refresh_token", *CLIENT),
    "name a nameless token": _adopt,
    "take a user name over": _take_name,
    "delete_token": _delete,
    "get_tokens": _get_all,
    "iter_tokens": _iterate,
}
REFRESH: dict[str, Operation] = {
    "refresh": _refresh,
    "refused refresh": _refused_refresh,
    "grant exchange": _exchange_grant,
}
COMMANDS: dict[str, Operation] = {
    "list": _command("list"),
    "list --user": _list_user,
    "list --failed": _command("list", "--failed"),
    "list --login-required": _command("list", "--login-required"),
    "doctor --quick": _command("doctor", "--quick"),
    "show": _show,
    "watch": _command("watch", "--count", "3", "--rows", "5"),
    "doctor": _doctor,
    "export": _export,
    "delete": _delete_command,
    "refresh by hand": _refresh_command,
    "expire": _expire,
    "revoke": _revoke,
    "purge --dry-run": _command("purge", "--idle-for", "30d", "--dry-run"),
}
LAST: dict[str, Operation] = {
    "delete_tokens": _delete_all,
    "purge": _command("purge", "--idle-for", "0s", "--yes"),
}
"""Leaves nothing for the others."""
DEPLOY: dict[str, Operation] = {"init": _command("init")}
IMPORT: dict[str, Operation] = {"import": _import}
KEYS: dict[str, Operation] = {
    "encrypt": _command("encrypt", "--yes"),
    "rotate-keys": _command("rotate-keys"),
    "rotate-keys --data-key": _rotate_data_key,
    "decrypt": _command("decrypt", "--yes"),
}
