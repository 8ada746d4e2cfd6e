"""The encryption settings that an application chooses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from zoho_mongo_store.driver.names import check_collection_name, check_database_name
from zoho_mongo_store.errors import InvalidInputError

PlainValues = Literal["refuse", "read", "write"]

SEPARATOR = "/"
"""Separates the parts of a data key's alternative names (see ``data_keys``)."""


@dataclass(frozen=True, eq=False, repr=False)
class FieldEncryption:
    """Encrypts the client secret and the access, refresh and grant tokens in this process.

    It uses MongoDB's explicit client-side field level encryption. Every edition of MongoDB since
    4.2 stores the encrypted values, and every driver that has the key can read them. It needs the
    extra ``encryption``.

    Attributes:
        kms_providers: The master keys, in the form that ``pymongo.encryption.ClientEncryption``
            accepts: the credentials for each provider (``local``, ``aws``, ``azure``, ``gcp``,
            ``kmip``, or a named one such as ``local:2027``). For ``local``:
            ``{"key": <96 random bytes>}``. The first provider wraps new data keys; the others are
            used only for reading.
        master_key: The master key to use at the first provider, in the form that
            ``create_data_key`` accepts. Default: ``None``, as ``local`` needs.
        key_vault: Database and collection of the data keys, which the master key wraps. Back them
            up: without them no secret can be read. Default: ``zohooauth.__keyVault``.
        key_name: The alternative name of the data key that encrypts secrets. If the key vault has
            no such key, it is created. Default: ``zoho-mongo-store``.
        kms_tls_options: TLS options for each provider, in the form that pymongo accepts. Default:
            none.
        plain: What to do with secrets that are not encrypted. ``"refuse"`` (the default): never
            read or send them. ``"read"``: also find them, while a collection is being encrypted;
            query filters then contain secrets in plain text too. ``"write"``: also write them,
            before a collection is encrypted and while it is being decrypted.
    """

    kms_providers: Mapping[str, Mapping[str, Any]]
    master_key: Mapping[str, Any] | None = None
    key_vault: str = "zohooauth.__keyVault"
    key_name: str = "zoho-mongo-store"
    kms_tls_options: Mapping[str, Any] | None = None
    plain: PlainValues = field(default="refuse", kw_only=True)

    def __post_init__(self) -> None:
        """Check what can be checked without a server.

        Raises:
            InvalidInputError: A setting is invalid.
        """
        if not isinstance(self.kms_providers, Mapping) or not self.kms_providers:
            raise InvalidInputError("kms_providers must name at least one provider")
        database, dot, collection = self.key_vault.partition(".")
        if not (database and dot and collection):
            raise InvalidInputError("key_vault must be '<database>.<collection>'")
        check_database_name(database, "the database of key_vault")
        check_collection_name(collection, database, "the collection of key_vault")
        if not self.key_name or SEPARATOR in self.key_name:
            raise InvalidInputError(f"key_name must not be empty or contain {SEPARATOR!r}")
        if self.plain not in get_args(PlainValues):
            raise InvalidInputError(f"plain must be one of {', '.join(get_args(PlainValues))}")

    @property
    def provider(self) -> str:
        """The provider that wraps new data keys: the first one."""
        return next(iter(self.kms_providers))

    def __repr__(self) -> str:
        """Return the settings without any key."""
        return (
            f"FieldEncryption(kms_providers={list(self.kms_providers)}, "
            f"key_vault={self.key_vault!r}, key_name={self.key_name!r}, plain={self.plain!r})"
        )
