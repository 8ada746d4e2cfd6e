"""What an application chooses about encryption."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from zoho_mongo_store.errors import InvalidInputError

PlainValues = Literal["refuse", "read", "write"]

# What tells the names apart that a data key bears (see data_keys.py).
SEPARATOR = "/"


@dataclass(frozen=True, eq=False, repr=False)
class FieldEncryption:
    """How the client secret and the access, refresh and grant token are encrypted before they leave
    the process: explicit client-side field level encryption, which every edition of MongoDB from
    4.2 stores and every driver that holds the key reads. Needs the extra ``encryption``.

    kms_providers: the master keys, as ``pymongo.encryption.ClientEncryption`` takes them: for each
        provider (``local``, ``aws``, ``azure``, ``gcp``, ``kmip``, or a named one such as
        ``local:2027``) its credentials; for ``local`` ``{"key": <96 random bytes>}``. The first one
        makes new data keys, the others are read with.
    master_key: which master key of the first provider, as ``create_data_key`` takes it. Default:
        ``None``, as for ``local``.
    key_vault: database and collection of the data keys. They are wrapped by the master key, and
        losing them loses all secrets: back them up.
    key_name: the alternative name of the data key that secrets are encrypted with. It is made when
        the vault has none.
    kms_tls_options: TLS options for each provider, as pymongo takes them.
    plain: what to do about secrets that are not encrypted. ``"refuse"``: none is accepted from the
        collection, none is sent. ``"read"``: they are found as well, for the time in which a
        collection is moved; they are then part of filters that are sent. ``"write"``: saves write
        them too, before such a move and for the way back.
    """

    kms_providers: Mapping[str, Mapping[str, Any]]
    master_key: Mapping[str, Any] | None = None
    key_vault: str = "zohooauth.__keyVault"
    key_name: str = "zoho-mongo-store"
    kms_tls_options: Mapping[str, Any] | None = None
    plain: PlainValues = field(default="refuse", kw_only=True)

    def __post_init__(self) -> None:
        """Refuse, as ``InvalidInputError``, what can be seen to be wrong without a server."""
        if not isinstance(self.kms_providers, Mapping) or not self.kms_providers:
            raise InvalidInputError("kms_providers has to name one provider at least")
        database, dot, collection = self.key_vault.partition(".")
        if not (database and dot and collection):
            raise InvalidInputError("key_vault has to be '<database>.<collection>'")
        if not self.key_name or SEPARATOR in self.key_name:
            raise InvalidInputError(f"key_name has to be a text without {SEPARATOR!r}")
        if self.plain not in get_args(PlainValues):
            raise InvalidInputError(f"plain has to be one of {', '.join(get_args(PlainValues))}")

    @property
    def provider(self) -> str:
        """The provider that makes new data keys."""
        return next(iter(self.kms_providers))

    def __repr__(self) -> str:
        return (
            f"FieldEncryption(kms_providers={list(self.kms_providers)}, "
            f"key_vault={self.key_vault!r}, key_name={self.key_name!r}, plain={self.plain!r})"
        )
