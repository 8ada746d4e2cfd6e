"""Writing what was kept, while an application goes on saving."""

from typing import Any

import mongomock

from tests.faults.documents import login
from tests.tokens import make_token
from zoho_mongo_store.events import Events
from zoho_mongo_store.model.document import Document, now
from zoho_mongo_store.model.token import to_document
from zoho_mongo_store.storage.pending_saves import PendingSaves
from zoho_mongo_store.storage.pending_writer import PendingWriter


def test_what_is_kept_meanwhile_does_not_hold_up_the_end() -> None:
    collection: Any = mongomock.MongoClient().zohooauth.oauthtoken
    pending = PendingSaves(Events())
    acknowledged: list[int] = []

    def keep(number: int) -> None:
        pending.keep(to_document(make_token(**login(f"user-{number}", 1))), now())

    def keep_one_more(_: Document) -> None:
        keep(collection.count_documents({}) + 100)

    writer = PendingWriter(pending, lambda _: collection, Events(), keep_one_more)
    for number in range(3):
        keep(number)

    writer.flush(1, on_acknowledged=lambda: acknowledged.append(collection.count_documents({})))

    assert acknowledged == [3]
    assert [save.fields["user_name"] for save in pending.waiting()] == [
        f"user-{number}" for number in (101, 102, 103)
    ]
