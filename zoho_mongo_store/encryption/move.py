"""Moving the secrets of a whole collection, document by document, while others go on using it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

import pymongo
from pymongo.collection import Collection

from zoho_mongo_store.encryption.cipher import Cipher, UnreadableError, is_encrypted, key_of
from zoho_mongo_store.model.document import SECRET_FIELDS, Document

_BATCH = 100


class Progress(NamedTuple):
    """How far a command is; ``done`` begins anew with each round over the documents."""

    step: str
    """``"documents"``, or ``"waiting"`` for all processes to know of a change, in seconds."""
    done: float
    total: float


class Moved(NamedTuple):
    """What became of the documents."""

    changed: int
    rounds: int
    """How often all documents were looked at: in the last round there was nothing left to do."""
    unreadable: list[str]
    """Why some were left as they are, one line for each, by ``_id``."""


Report = Callable[[Progress], None]
Conversion = Callable[[Document], Document]


def move(
    collection: Collection[Document], convert: Conversion, timeout: float, report: Report
) -> Moved:
    """Set the fields that ``convert`` gives for each document until it gives none for any.

    Each document changes by one update, and only if it still holds the values that were read, so
    this can be stopped and run again at any point, twice at once, and while others save. What
    changed meanwhile is looked at again in the next round. ``updated_at`` stays.
    """
    changed, rounds = 0, 0
    while True:
        rounds += 1
        unreadable: list[str] = []
        left = 0
        with pymongo.timeout(timeout):
            total = collection.estimated_document_count()
        for done, document in enumerate(_documents(collection, timeout), 1):
            with pymongo.timeout(timeout):
                try:
                    changes = convert(document)
                except UnreadableError as error:
                    unreadable.append(str(error))
                    changes = {}
                if changes:
                    left += 1
                    changed += _update(collection, document, changes)
            report(Progress("documents", done, max(done, total)))
        if not left:
            return Moved(changed, rounds, unreadable)


def encrypting(cipher: Cipher, key: Any) -> Conversion:
    """Encrypts what is not encrypted with the data key ``key`` yet."""

    def convert(document: Document) -> Document:
        return {
            field: cipher.encrypt(field, _text(cipher, document, field), key)
            for field, value in _secrets(document)
            if not is_encrypted(value) or key_of(value) != key
        }

    return convert


def decrypting(cipher: Cipher) -> Conversion:
    """Decrypts what is encrypted."""

    def convert(document: Document) -> Document:
        return {
            field: _text(cipher, document, field)
            for field, value in _secrets(document)
            if is_encrypted(value)
        }

    return convert


def _documents(collection: Collection[Document], timeout: float) -> Iterator[Document]:
    projection = dict.fromkeys(SECRET_FIELDS, 1)
    with closing(collection.find({}, projection, batch_size=_BATCH)) as cursor:
        while True:
            with pymongo.timeout(timeout):
                document = next(cursor, None)
            if document is None:
                return
            yield document


def _update(collection: Collection[Document], document: Document, changes: Document) -> int:
    as_read = {field: document[field] for field in changes}
    result = collection.update_one({"_id": document["_id"], **as_read}, {"$set": changes})
    return result.modified_count


def _secrets(document: Document) -> list[tuple[str, Any]]:
    """The secrets in ``document``; what is neither text nor encrypted is no secret of the store."""
    return [
        (field, document[field])
        for field in SECRET_FIELDS
        if is_encrypted(document.get(field)) or isinstance(document.get(field), str)
    ]


def _text(cipher: Cipher, document: Document, field: str) -> str:
    value = document[field]
    return cipher.decrypt(document["_id"], field, value) if is_encrypted(value) else value
