"""Encrypts and decrypts the secrets in documents, filters and updates."""

from collections.abc import Mapping
from typing import Any

from zoho_mongo_store.encryption.cipher import Cipher, is_encrypted
from zoho_mongo_store.encryption.data_keys import DataKeys
from zoho_mongo_store.encryption.settings import PlainValues
from zoho_mongo_store.errors import StoreError
from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, SECRET_FIELDS, Document

HOW_TO_ENCRYPT = (
    "encrypt the collection (zoho-mongo-store encrypt), and set plain='read' in all processes "
    "until that has finished"
)
_SETTING = ("$set", "$setOnInsert")


class Codec:
    """Converts between documents in plain text and documents as MongoDB stores them."""

    def __init__(self, cipher: Cipher, keys: DataKeys, plain: PlainValues) -> None:
        """Use the data keys at one moment.

        Args:
            cipher: Converts single values.
            keys: The data keys to write with and to search for.
            plain: What to do with secrets in plain text, as in ``FieldEncryption``.
        """
        self._cipher = cipher
        self._keys = keys
        self._plain = plain

    def encode_filter(self, filter: Mapping[str, Any]) -> Document:
        """Convert a filter so that it finds its credentials in whatever form they are stored.

        Args:
            filter: A filter with credentials in plain text: each a string, or ``{"$in": [...]}`` of
                strings. They may be inside ``$or``.

        Returns:
            The filter to send.

        Raises:
            StoreError: A credential cannot be encrypted.
        """
        return {field: self._encode_condition(field, value) for field, value in filter.items()}

    def encode_update(self, update: Mapping[str, Any]) -> Document:
        """Encrypt the secrets that an update sets.

        Args:
            update: An update document.

        Returns:
            The update to send.

        Raises:
            StoreError: A secret cannot be encrypted.
        """
        return {
            operator: self._encode_fields(fields) if operator in _SETTING else fields
            for operator, fields in update.items()
        }

    def decode(self, document: Document) -> Document:
        """Decrypt the secrets in a stored document.

        Args:
            document: The document. It is changed in place.

        Returns:
            The same document.

        Raises:
            UnreadableError: A secret cannot be decrypted.
            StoreError: A secret is in plain text, and ``plain`` is ``"refuse"``.
        """
        for field in SECRET_FIELDS:
            value = document.get(field)
            if is_encrypted(value):
                document[field] = self._cipher.decrypt(document.get("_id"), field, value)
            elif isinstance(value, str) and self._plain == "refuse":
                raise StoreError(
                    f"the {field} of the document {document.get('_id')!r} is not encrypted: "
                    f"{HOW_TO_ENCRYPT}"
                )
        return document

    def _encode_condition(self, field: str, value: Any) -> Any:
        if field == "$or":
            return [self.encode_filter(one) for one in value]
        if field not in CREDENTIAL_FIELDS:
            return value
        if isinstance(value, str):
            forms = self._forms(field, value)
            return forms[0] if len(forms) == 1 else {"$in": forms}
        if isinstance(value, Mapping) and "$in" in value:
            return {"$in": [form for one in value["$in"] for form in self._forms(field, one)]}
        return value

    def _forms(self, field: str, value: str) -> list[Any]:
        """Return all forms in which a credential may be stored."""
        forms: list[Any] = [self._cipher.encrypt(field, value, key) for key in self._keys.searched]
        if self._plain != "refuse":
            forms.append(value)
        return forms

    def _encode_fields(self, fields: Mapping[str, Any]) -> Document:
        if self._plain == "write":
            return dict(fields)
        return {
            field: self._cipher.encrypt(field, value, self._keys.current)
            if field in SECRET_FIELDS
            else value
            for field, value in fields.items()
        }
