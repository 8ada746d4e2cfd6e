"""Recognizes files that an import cannot read, to say what they are."""

import re

from zoho_mongo_store.transfer.text_lines import encoding_of

_SIGNATURES = (
    (b"SQLite format 3\0", "is an SQLite database: use import sqlite"),
    (b"PK\x03\x04", "is a ZIP file or an Excel workbook: export the sheet as CSV first"),
    (b"\x1f\x8b", "is compressed with gzip: unpack it first"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_PHP_DUMP = re.compile(r'(a:\d+:\{|O:\d+:")')
_NODE_SDK = re.compile(r'\{\s*"tokens"\s*:')


def foreign_kind(head: bytes) -> str | None:
    """Say what a file is, if no import of text files can read it.

    Args:
        head: The first bytes of the file.

    Returns:
        A predicate for the file's name, such as ``"is empty"``, or ``None``.
    """
    if not head.strip():
        return "is empty"
    if not head.strip(b"\0"):
        return "contains only NUL bytes, as a power failure leaves them"
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if _PICKLE.match(head):
        return "is a Python pickle of SDK 1, which has no client secrets to import"
    text = text_of(head)
    if _PHP_DUMP.match(text):
        return "is serialized by PHP: only the file of the Python SDK's FileStore can be imported"
    if _NODE_SDK.match(text):
        return "is a token file of the Node SDK, which has no client secrets to import"
    return None


def text_of(head: bytes) -> str:
    """Return the beginning of a text file, without a byte order mark and leading white space."""
    return head.decode(encoding_of(head), "replace").lstrip()
