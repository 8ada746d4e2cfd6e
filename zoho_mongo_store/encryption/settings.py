"""The settings of the encryption, as an application chooses them."""

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
    """Encrypts the client secret and the access, refresh and grant token in this process.

    It is MongoDB's explicit client-side field level encryption: every edition of MongoDB from 4.2
    stores it, and every driver that holds the key reads it. It needs the extra ``encryption``.

    Attributes:
        kms_providers: The master keys, as ``pymongo.encryption.ClientEncryption`` takes them: the
            credentials for each provider (``local``, ``aws``, ``azure``, ``gcp``, ``kmip``, or a
            named one such as ``local:2027``). For ``local`` it is ``{"key": <96 random bytes>}``.
            The first provider makes new data keys. The others only read.
        master_key: The master key to use at the first provider, as ``create_data_key`` takes it.
            Default: ``None``, as for ``local``.
        key_vault: Database and collection of the data keys. The master key wraps them. Back them
            up: without them no secret can be read. Default: ``zohooauth.__keyVault``.
        key_name: The alternative name of the data key that encrypts secrets. It is made when the
            key vault has none. Default: ``zoho-mongo-store``.
        kms_tls_options: TLS options for each provider, as pymongo takes them. Default: none.
        plain: What to do about secrets that are not encrypted. ``"refuse"`` (the default): never
            read them, never send them. ``"read"``: find them too, while a collection is being
            encrypted; filters then also hold them in plain. ``"write"``: also write them, before a
            collection is encrypted, and while it is being decrypted.
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
            InvalidInputError: A setting is wrong.
        """
        if not isinstance(self.kms_providers, Mapping) or not self.kms_providers:
            raise InvalidInputError("kms_providers has to name one provider at least")
        database, dot, collection = self.key_vault.partition(".")
        if not (database and dot and collection):
            raise InvalidInputError("key_vault has to be '<database>.<collection>'")
        check_database_name(database, "the database of key_vault")
        check_collection_name(collection, database, "the collection of key_vault")
        if not self.key_name or SEPARATOR in self.key_name:
            raise InvalidInputError(f"key_name has to be a text without {SEPARATOR!r}")
        if self.plain not in get_args(PlainValues):
            raise InvalidInputError(f"plain has to be one of {', '.join(get_args(PlainValues))}")

    @property
    def provider(self) -> str:
        """The provider that makes new data keys: the first one."""
        return next(iter(self.kms_providers))

    def __repr__(self) -> str:
        """Show the settings without any key."""
        return (
            f"FieldEncryption(kms_providers={list(self.kms_providers)}, "
            f"key_vault={self.key_vault!r}, key_name={self.key_name!r}, plain={self.plain!r})"
        )
