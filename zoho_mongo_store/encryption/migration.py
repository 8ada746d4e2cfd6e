"""Converts the secrets of a whole collection, batch by batch, while others use it."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

import pymongo
from pymongo import UpdateOne
from pymongo.collection import Collection

from zoho_mongo_store.encryption.cipher import Cipher, UnreadableError, is_encrypted, key_of
from zoho_mongo_store.model.document import SECRET_FIELDS, Document

# As many as a slow server can write within a timeout.
_BATCH = 100


class MigrationProgress(NamedTuple):
    """The progress of an operation.

    Attributes:
        step: ``"documents"``, or ``"waiting"`` until all processes know of a change.
        done: Documents or seconds so far. It starts again with each round over the documents.
        total: Documents or seconds in total.
    """

    step: str
    done: float
    total: float


class MigrationReport(NamedTuple):
    """What was done to the documents.

    Attributes:
        changed: The number of documents that were changed.
        rounds: How often all documents were read. The last round found nothing left to do.
        unreadable: The documents that were left unchanged: one line for each, with its ``_id`` and
            the reason.
    """

    changed: int
    rounds: int
    unreadable: list[str]


OnProgress = Callable[[MigrationProgress], None]
Conversion = Callable[[Document], Document]
"""Returns the fields of a document that need to change, with their new values."""


def migrate(
    collection: Collection[Document], convert: Conversion, timeout: float, on_progress: OnProgress
) -> MigrationReport:
    """Convert every document until nothing is left to convert.

    Each document is changed by one update, which applies only if the document still has the values
    that were read. So this can be stopped and run again at any time, run twice at once, and run
    while others save. A document that has changed in the meantime is read again in the next round.
    ``updated_at`` does not change. The updates of a batch are sent together, unordered.

    Args:
        collection: The collection of the tokens.
        convert: Returns what to change in a document.
        timeout: Seconds for reading each batch, and again for converting and writing it.
        on_progress: Called after each batch.

    Returns:
        What was done.

    Raises:
        PyMongoError: MongoDB could not be reached, or refused.
    """
    changed, rounds = 0, 0
    while True:
        rounds += 1
        unreadable: list[str] = []
        done, left = 0, 0
        with pymongo.timeout(timeout):
            total = collection.estimated_document_count()
        for batch in _batches(collection, timeout):
            with pymongo.timeout(timeout):
                updates = list(_updates(batch, convert, unreadable))
                if updates:
                    left += len(updates)
                    changed += collection.bulk_write(updates, ordered=False).modified_count
            done += len(batch)
            on_progress(MigrationProgress("documents", done, max(done, total)))
        if not left:
            return MigrationReport(changed, rounds, unreadable)


def encrypting(cipher: Cipher, key: Any) -> Conversion:
    """Create a conversion that encrypts what is not yet encrypted with the data key ``key``."""

    def convert(document: Document) -> Document:
        return {
            field: cipher.encrypt(field, _text(cipher, document, field), key)
            for field, value in _secrets(document)
            if not is_encrypted(value) or key_of(value) != key
        }

    return convert


def decrypting(cipher: Cipher) -> Conversion:
    """Create a conversion that decrypts what is encrypted."""

    def convert(document: Document) -> Document:
        return {
            field: _text(cipher, document, field)
            for field, value in _secrets(document)
            if is_encrypted(value)
        }

    return convert


def _batches(collection: Collection[Document], timeout: float) -> Iterator[list[Document]]:
    projection = dict.fromkeys(SECRET_FIELDS, 1)
    with closing(collection.find({}, projection, batch_size=_BATCH)) as cursor:
        while True:
            with pymongo.timeout(timeout):
                batch = list(itertools.islice(cursor, _BATCH))
            if not batch:
                return
            yield batch


def _updates(
    batch: list[Document], convert: Conversion, unreadable: list[str]
) -> Iterator[UpdateOne]:
    """Yield the update of each document that needs to change, and note which cannot be read."""
    for document in batch:
        try:
            changes = convert(document)
        except UnreadableError as error:
            unreadable.append(str(error))
            continue
        if changes:
            as_read = {field: document[field] for field in changes}
            yield UpdateOne({"_id": document["_id"], **as_read}, {"$set": changes})


def _secrets(document: Document) -> list[tuple[str, Any]]:
    """List the secrets in a document: strings and encrypted values. Other types are not ours."""
    return [
        (field, document[field])
        for field in SECRET_FIELDS
        if is_encrypted(document.get(field)) or isinstance(document.get(field), str)
    ]


def _text(cipher: Cipher, document: Document, field: str) -> str:
    value = document[field]
    return cipher.decrypt(document["_id"], field, value) if is_encrypted(value) else value
