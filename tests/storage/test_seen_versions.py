"""Which version of a token was seen last: what a member has may be older."""

from datetime import UTC, datetime, timedelta

from zoho_mongo_store.model.document import Document
from zoho_mongo_store.storage import seen_versions
from zoho_mongo_store.storage.seen_versions import SeenVersions

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def token(seconds: float, id: str = "1") -> Document:
    return {"id": id, "updated_at": MOMENT + timedelta(seconds=seconds)}


def test_what_was_saved_before_is_older() -> None:
    seen = SeenVersions()
    assert not seen.are_newer_than(token(0))
    seen.note(token(1))
    assert seen.are_newer_than(token(0))
    assert seen.are_newer_than({"id": "1"})
    assert not seen.are_newer_than(token(0, id="2"))


def test_a_member_that_has_caught_up_may_be_believed_from_then_on() -> None:
    seen = SeenVersions()
    seen.note(token(1))
    assert not seen.are_newer_than(token(1))
    assert not seen.are_newer_than(token(0))


def test_of_a_change_the_version_is_not_known() -> None:
    seen = SeenVersions()
    seen.note_change("1")
    assert seen.are_newer_than(token(3600))
    seen.forget("1")
    assert not seen.are_newer_than(token(0))


def test_only_the_last_are_kept() -> None:
    seen = SeenVersions()
    for number in range(seen_versions._MOST + 1):
        seen.note(token(1, id=str(number)))
        seen.note(token(1, id="1"))
    assert not seen.are_newer_than(token(0, id="0"))
    assert seen.are_newer_than(token(0, id="1"))


def test_a_forked_child_begins_empty() -> None:
    seen = SeenVersions()
    seen.note(token(1))
    seen.after_fork()
    assert not seen.are_newer_than(token(0))
