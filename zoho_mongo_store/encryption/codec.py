"""Documents, filters and updates, with the secrets in them encrypted or decrypted."""

from collections.abc import Mapping
from typing import Any

from zoho_mongo_store.encryption.cipher import Cipher, is_encrypted
from zoho_mongo_store.encryption.data_keys import DataKeys
from zoho_mongo_store.encryption.settings import PlainValues
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, SECRET_FIELDS, Document

MOVE = (
    "encrypt the collection (zoho-mongo-store encrypt), with plain='read' in the settings of all "
    "processes until that is done"
)
_SETTING = ("$set", "$setOnInsert")


class Codec:
    """Between the documents of the store and those of MongoDB, with one list of data keys."""

    def __init__(self, cipher: Cipher, keys: DataKeys, plain: PlainValues) -> None:
        self._cipher = cipher
        self._keys = keys
        self._plain = plain

    def filter(self, filter: Mapping[str, Any]) -> Document:
        """``filter`` as it finds the credentials in it, however they are stored."""
        return {
            field: self._any_of(field, value)
            if field in CREDENTIAL_FIELDS and isinstance(value, str)
            else value
            for field, value in filter.items()
        }

    def update(self, update: Mapping[str, Any]) -> Document:
        """``update`` with the secrets that it sets encrypted."""
        return {
            operator: self._stored(fields) if operator in _SETTING else fields
            for operator, fields in update.items()
        }

    def decoded(self, document: Document) -> Document:
        """A stored document with its secrets in plain; ``StoreError`` if one cannot be had."""
        for field in SECRET_FIELDS:
            value = document.get(field)
            if is_encrypted(value):
                document[field] = self._cipher.decrypt(document.get("_id"), field, value)
            elif isinstance(value, str) and self._plain == "refuse":
                raise StoreError(
                    f"the {field} of the document {document.get('_id')!r} is not encrypted: {MOVE}"
                )
        return document

    def _any_of(self, field: str, value: str) -> Any:
        values: list[Any] = [self._cipher.encrypt(field, value, key) for key in self._keys.searched]
        if self._plain != "refuse":
            values.append(value)
        return values[0] if len(values) == 1 else {"$in": values}

    def _stored(self, fields: Mapping[str, Any]) -> Document:
        if self._plain == "write":
            return dict(fields)
        return {
            field: self._cipher.encrypt(field, value, self._keys.current)
            if field in SECRET_FIELDS
            else value
            for field, value in fields.items()
        }
