"""Chooses where data keys are read: from a secondary, if one answers instead of the primary."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from pymongo import ReadPreference
from pymongo.collection import Collection

from zoho_mongo_store.driver.views import is_of_secondary
from zoho_mongo_store.model.document import Document

if TYPE_CHECKING:
    from pymongo.encryption import ClientEncryption

# If there is no primary, the key vault is read from a secondary in any case.
_preference: ContextVar[Any] = ContextVar(
    "read preference of data keys", default=ReadPreference.PRIMARY_PREFERRED
)


@contextmanager
def reading_keys_for(collection: Collection[Document]) -> Iterator[None]:
    """In the block, read data keys from where the documents of ``collection`` are read.

    A data key never changes, so any member's copy will do.
    """
    if not is_of_secondary(collection):
        yield
        return
    token = _preference.set(collection.read_preference)
    try:
        yield
    finally:
        _preference.reset(token)


def read_keys_past_primary(library: "ClientEncryption[dict[str, Any]]") -> None:
    """Make the library read data keys as ``reading_keys_for`` says.

    The library forgets a data key after a minute. pymongo reads it only from the primary, and has
    no option to change that.
    """
    reader = getattr(library, "_io_callbacks", None)
    vault = getattr(reader, "key_vault_coll", None)
    if reader is not None and vault is not None:
        reader.key_vault_coll = _Vault(
            vault.database,
            vault.name,
            codec_options=vault.codec_options,
            write_concern=vault.write_concern,
            read_concern=vault.read_concern,
        )


class _Vault(Collection[dict[str, Any]]):
    """The key vault, read with the current read preference."""

    def find(self, *arguments: Any, **options: Any) -> Any:
        return self.with_options(read_preference=_preference.get()).find(*arguments, **options)
