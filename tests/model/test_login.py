"""What a login is: pure functions from a token's fields and a document."""

from typing import Any

import pytest

from tests.tokens import CLIENT, make_token
from zoho_mongo_store.model.login import credential_digest, credential_digests, is_login, knows
from zoho_mongo_store.model.token import fill

ADA = "ada@example.com:1"
KNOWN = [credential_digest("grant_token", "G0"), credential_digest("refresh_token", "R0")]
STORED: dict[str, Any] = {
    "id": "7",
    "user_name": ADA,
    "grant_token": "G",
    "refresh_token": "R",
    "access_token": "A",
    "known_credentials": KNOWN,
    **CLIENT,
}
NAMELESS = {field: value for field, value in STORED.items() if field != "user_name"}
# As an older release wrote it, and as an import may.
OLD = {field: value for field, value in STORED.items() if field != "known_credentials"}
IMPORTED = {field: value for field, value in OLD.items() if field != "grant_token"}


@pytest.mark.parametrize(
    ("brought", "expected"),
    [
        ({}, False),
        ({"grant_token": "G"}, False),
        ({"refresh_token": "R"}, False),
        ({"grant_token": "G0", "refresh_token": "R0"}, False),
        ({"grant_token": "G1"}, True),
        ({"refresh_token": "R1"}, True),
        ({"grant_token": "G", "refresh_token": "R1"}, True),
        ({"grant_token": "G1", "refresh_token": "R"}, True),
        # A digest belongs to its kind.
        ({"grant_token": "R0"}, True),
        ({"access_token": "another"}, False),
    ],
)
def test_a_name_with_a_credential_that_was_never_known_is_a_login(
    brought: dict[str, str], expected: bool
) -> None:
    assert is_login({"user_name": ADA, **CLIENT, **brought}, STORED) is expected


@pytest.mark.parametrize(
    ("document", "brought", "expected"),
    [
        (OLD, {"grant_token": "G", "refresh_token": "R"}, False),
        (OLD, {"grant_token": "G0"}, True),
        (IMPORTED, {"refresh_token": "R"}, False),
        (IMPORTED, {"grant_token": "spent"}, True),
    ],
)
def test_in_a_document_without_digests_what_is_stored_is_known(
    document: dict[str, Any], brought: dict[str, str], expected: bool
) -> None:
    assert is_login({"user_name": ADA, **CLIENT, **brought}, document) is expected


@pytest.mark.parametrize(
    ("document", "brought", "expected"),
    [
        (NAMELESS, {"grant_token": "G"}, False),
        (NAMELESS, {"grant_token": "G", "refresh_token": "R1"}, True),
        (NAMELESS, {"grant_token": "G", "refresh_token": "R0"}, False),
        (NAMELESS, {"grant_token": "G1", "refresh_token": "R"}, False),
        # Its exchange gave none: nothing is replaced.
        ({"id": "7", "grant_token": "G"}, {"grant_token": "G", "refresh_token": "R1"}, False),
    ],
)
def test_without_a_name_only_another_refresh_token_is_a_login(
    document: dict[str, Any], brought: dict[str, str], expected: bool
) -> None:
    assert is_login({**CLIENT, **brought}, document) is expected


def test_a_token_with_an_id_is_no_login() -> None:
    assert not is_login({"id": "7", "user_name": ADA, "grant_token": "G1", **CLIENT}, STORED)


def test_a_digest_shows_nothing_of_the_credential() -> None:
    digests = credential_digests({"grant_token": "1000.grant", "refresh_token": "1000.refresh"})

    assert [len(digest) for digest in digests] == [32, 32]
    assert not [digest for digest in digests if "1000" in digest]
    assert credential_digests({"access_token": "A", "client_secret": "S"}) == []
    assert credential_digest("grant_token", "X") != credential_digest("refresh_token", "X")
    assert knows({"known_credentials": digests}, "grant_token", "1000.grant")


def test_a_refresh_token_that_was_replaced_gives_way_to_the_stored_one() -> None:
    """The token would otherwise go on with a login that a newer one replaced."""
    old = make_token(user_name=ADA, refresh_token="R0", **CLIENT)
    own = make_token(id="7", refresh_token="R1", **CLIENT)

    fill(old, STORED)
    fill(own, STORED)

    assert old.get_refresh_token() == "R"
    assert own.get_refresh_token() == "R1"
