"""What the application's event handler is told, and what becomes of what it raises."""

import logging
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, timedelta
from typing import Any

import mongomock
import pytest

from zoho_mongo_store import MongoTokenStore, TokenEvent
from zoho_mongo_store.events import Events
from zoho_mongo_store.sdk import SDKException

DOCUMENT = {
    "id": "7",
    "user_name": "ada@example.com:1",
    "client_id": "1000.CLIENT",
    "client_secret": "client-secret",
    "refresh_token": "1000.refresh",
    "access_token": "1000.access",
    "grant_token": "1000.grant",
}


def test_an_event_names_the_token_and_shows_no_secret() -> None:
    told: list[TokenEvent] = []

    Events(told.append).emit(
        "refreshed", DOCUMENT, reason="due", duration=timedelta(seconds=1), attempt=2
    )

    (event,) = told
    assert (event.name, event.id, event.user_name, event.client_id) == (
        "refreshed",
        "7",
        "ada@example.com:1",
        "1000.CLIENT",
    )
    assert (event.reason, event.duration, event.attempt) == ("due", timedelta(seconds=1), 2)
    assert event.at.tzinfo == UTC
    for secret in ("client_secret", "refresh_token", "access_token", "grant_token"):
        assert DOCUMENT[secret] not in repr(event)


def test_an_event_without_a_token() -> None:
    told: list[TokenEvent] = []

    Events(told.append).emit("outage_began")

    (event,) = told
    without = {field.name for field in fields(event)} - {"name", "at"}
    assert {getattr(event, name) for name in without} == {None}


def test_an_event_cannot_be_changed() -> None:
    event: Any = TokenEvent(name="login")

    with pytest.raises(FrozenInstanceError):
        event.name = "refreshed"


def test_what_the_handler_raises_is_logged_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def raising(event: TokenEvent) -> None:
        raise ValueError(f"1000.access of {event.id}")

    Events(raising).emit("refreshed", DOCUMENT)

    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "on_event raised ValueError for the event refreshed"
    assert record.exc_info is None


def test_without_a_handler_nothing_is_told() -> None:
    Events().emit("refreshed", DOCUMENT)


def test_a_handler_that_cannot_be_called_is_refused() -> None:
    handler: Any = "https://example.com/hook"

    with pytest.raises(SDKException, match="on_event must be callable"):
        MongoTokenStore(client=mongomock.MongoClient(), on_event=handler)
