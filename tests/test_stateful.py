"""Random sequences of the six methods, against a plain model of the find order and of saving."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.engines import ENGINES, Engine
from tests.tokens import contents, make_token
from zoho_mongo_store import CachePolicy, MongoTokenStore
from zoho_mongo_store.sdk import OAuthToken, SDKException

Fields = dict[str, str]

CREDENTIALS = ("access_token", "grant_token", "refresh_token")
ACCESS_TOKEN_FIELDS = ("access_token", "expires_in")

# So few values that tokens meet in every way; now and then one is empty, which is as good as none.
IDS = ["1", "2", "unknown"]
VALUES = {
    "id": st.sampled_from(IDS),
    "user_name": st.sampled_from(["ada", "bob", ""]),
    "access_token": st.sampled_from(["A1", "A2", ""]),
    "grant_token": st.sampled_from(["G1", "G2", ""]),
    "refresh_token": st.sampled_from(["R1", "R2", ""]),
    # Far away: a cache holds nothing that is due.
    "expires_in": st.sampled_from(["4102444800000", "4102448400000"]),
    "redirect_url": st.sampled_from(["https://example.com/", ""]),
}
CLIENT = {"client_id": "client", "client_secret": "secret"}
CLIENTS = st.sampled_from([CLIENT, CLIENT, {}, {}, {"client_id": "client"}])


def is_token(fields: Fields) -> bool:
    """Whether the SDK makes a token of these: not with nothing to go by."""
    return bool({"id", "user_name", "access_token"} & fields.keys()) or (
        CLIENT.keys() <= fields.keys() and bool(set(CREDENTIALS) & fields.keys())
    )


NEW = st.builds(
    lambda fields, client: fields | client, st.fixed_dictionaries({}, optional=VALUES), CLIENTS
)


CHANGES = st.fixed_dictionaries(
    {}, optional={name: VALUES[name] for name in ("id", "user_name", "access_token")}
)


@st.composite
def changed(draw: st.DrawFn, tokens: list[Fields]) -> Fields:
    """A stored token without some of its fields, with some changed, by any client or none."""
    token = draw(st.sampled_from(tokens))
    left_out = draw(st.sets(st.sampled_from([*VALUES, *CLIENT])))
    kept = {name: value for name, value in token.items() if name not in left_out}
    return kept | draw(CHANGES) | draw(CLIENTS)


def steps(given: Fields) -> list[str]:
    """What a token is looked up by, in order."""
    client = CLIENT.keys() & given.keys()
    redeemable = [["access_token"], [], ["grant_token", "refresh_token"]][len(client)]
    return [name for name in ("id", "user_name", *redeemable) if name in given]


class Model:
    """The stored tokens, by id. Where several match, which one is met is the engine's choice."""

    def __init__(self) -> None:
        self.tokens: dict[str, Fields] = {}
        self.known: dict[str, set[str]] = {}
        """The grant and refresh tokens that were ever saved in a token, by its id."""

    def matching(self, given: Fields, name: str) -> set[str]:
        """The ids of the tokens that one step of the find order gives."""
        unnamed_only = "user_name" in given and name in CREDENTIALS
        return {
            id
            for id, token in self.tokens.items()
            if token.get(name) == given[name] and not (unnamed_only and "user_name" in token)
        }

    def found(self, given: Fields) -> set[str | None]:
        """The ids of the tokens that may answer ``given``, with None where nothing may."""
        answers: set[str | None] = set()
        for name in steps(given):
            matching = self.matching(given, name)
            if name == "id":
                return {*matching} or {None}
            logins = {id for id in matching if self.is_login(given, id)}
            answers |= matching - logins
            if matching and not logins:
                return answers
        return answers | {None}

    def is_login(self, given: Fields, id: str) -> bool:
        """Whether ``given`` brings what the token stored under ``id`` has never known."""
        brought = ["grant_token", "refresh_token"]
        if "user_name" not in given:
            brought = ["refresh_token"] if "refresh_token" in self.tokens[id] else []
        return any(name in given and given[name] not in self.known[id] for name in brought)

    def updated(self, given: Fields) -> set[str]:
        """The ids of the tokens of which a save of ``given`` updates one."""
        return next(filter(None, (self.matching(given, name) for name in steps(given))), set())

    def save(self, id: str, given: Fields) -> None:
        """What a save of ``given`` makes of the token stored under ``id``."""
        old = self.tokens.get(id, {})
        new = {**old, **given, "id": id}
        if "access_token" in given and "expires_in" not in given:
            # The same access token keeps its expiry if the token is found by it, or at once.
            step = next((name for name in steps(given) if old.get(name) == given[name]), None)
            at_once = step is not None and step in ("access_token", steps(given)[0])
            if not at_once or old.get("access_token") != given["access_token"]:
                new.pop("expires_in", None)
        if "user_name" in given:
            for other in self.tokens.values():
                if other.get("user_name") == given["user_name"]:
                    del other["user_name"]
        self.tokens[id] = new
        brought = {given[name] for name in ("grant_token", "refresh_token") if name in given}
        self.known[id] = self.known.get(id, set()) | brought

    def delete(self, id: str) -> None:
        self.tokens.pop(id, None)
        self.known.pop(id, None)

    def filled(self, given: Fields, id: str) -> Fields:
        """``given`` filled from the token stored under ``id``; the stored pair wins, and so does
        the stored refresh token over one that it replaced."""
        stored = self.tokens[id]
        result = {**stored, **given}
        if "refresh_token" in stored and given.get("refresh_token") in self.known[id]:
            result["refresh_token"] = stored["refresh_token"]
        if "access_token" in stored or "access_token" in given:
            source = stored if "access_token" in stored else given
            for name in ACCESS_TOKEN_FIELDS:
                result.pop(name, None)
            result |= {name: source[name] for name in ACCESS_TOKEN_FIELDS if name in source}
        return result


def present(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value}


def shown(token: OAuthToken | None) -> Fields:
    return present(contents(token))


class StoreMachine(RuleBasedStateMachine):
    """Does everything to the store and to the model, and compares."""

    open_store: Callable[[], MongoTokenStore]

    @initialize()
    def begin(self) -> None:
        self.model = Model()
        self.store = self.open_store()

    def teardown(self) -> None:
        self.store.delete_tokens()
        self.store.close()

    @rule(data=st.data())
    def save_token(self, data: st.DataObject) -> None:
        fields = self.any_fields(data)
        token, given = make_token(**fields), present(fields)
        candidates = self.model.updated(given)
        if not candidates and not set(CREDENTIALS) & given.keys():
            with pytest.raises(SDKException, match="save_token failed: no stored token matches"):
                self.store.save_token(token)
            assert contents(token) == fields
            return
        self.store.save_token(token)
        id = token.get_id()
        assert id
        assert contents(token) == {**fields, "id": id}
        if candidates:
            assert id in candidates
        else:
            assert id not in self.model.tokens
            assert id == given.get("id", id)
        self.model.save(id, given)

    @rule(data=st.data())
    def find_token(self, data: st.DataObject) -> None:
        fields = self.any_fields(data)
        token, given = make_token(**fields), present(fields)
        answers = self.model.found(given)
        found = self.store.find_token(token)
        if found is None:
            assert None in answers
            assert contents(token) == fields
            return
        assert found is token
        assert shown(token) in [self.model.filled(given, id) for id in answers if id]

    @rule(data=st.data())
    def find_token_by_id(self, data: st.DataObject) -> None:
        id = self.any_id(data)
        found = self.store.find_token_by_id(id)
        if id in self.model.tokens:
            assert contents(found) == self.model.tokens[id]
        else:
            assert found is None

    @rule(data=st.data())
    def delete_token(self, data: st.DataObject) -> None:
        id = self.any_id(data)
        self.store.delete_token(id)
        self.model.delete(id)

    @rule(sure=st.integers(0, 4))
    def delete_tokens(self, sure: int) -> None:
        if sure == 4:
            self.store.delete_tokens()
            self.model = Model()

    @rule()
    def use_another_store(self) -> None:
        self.store.close()
        self.store = self.open_store()

    @invariant()
    def stored_is_what_the_model_holds(self) -> None:
        if hasattr(self, "store"):
            stored = {str(token.get_id()): contents(token) for token in self.store.get_tokens()}
            assert stored == self.model.tokens
            assert len(self.store.collection.distinct("id")) == len(stored)

    def any_fields(self, data: st.DataObject) -> Fields:
        stored = [token for _, token in sorted(self.model.tokens.items())]
        strategy = NEW | changed(stored) if stored else NEW
        return data.draw(strategy.filter(is_token))

    def any_id(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from([*sorted(self.model.tokens), *IDS]))


EXAMPLES = {"mongomock": 120}
CACHES = [None, CachePolicy(max_age=timedelta(hours=1), max_tokens=2)]


# A run takes seconds; cutting a failing sequence down to the shortest one takes minutes.
@pytest.mark.timeout(480)
@pytest.mark.parametrize("cache", CACHES, ids=["no cache", "cache"])
@pytest.mark.parametrize("name", ENGINES)
def test_any_sequence_of_the_six_methods(
    name: str, cache: CachePolicy | None, running_engines: Callable[[str], Engine]
) -> None:
    client, database = running_engines(name).client, f"test_{uuid.uuid4().hex}"

    class Machine(StoreMachine):
        @staticmethod
        def open_store() -> MongoTokenStore:
            return MongoTokenStore(client=client, database=database, cache=cache)

    try:
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=EXAMPLES.get(name, 60), stateful_step_count=25, deadline=None
            ),
        )
    finally:
        client.drop_database(database)
