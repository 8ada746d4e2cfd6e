"""Checks what a command needs before it writes to a whole collection: rights and indexes."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pymongo
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from zoho_mongo_store.commands.context import TIMEOUT, CommandContext
from zoho_mongo_store.commands.failures import CommandError
from zoho_mongo_store.commands.index_setup import existing_idle_index
from zoho_mongo_store.driver.privileges import Privileges
from zoho_mongo_store.driver.query_plan import is_indexed
from zoho_mongo_store.errors import lacks_privilege
from zoho_mongo_store.model.document import Document
from zoho_mongo_store.storage.token_indexes import TOKEN_INDEXES

_WRITE = ("find", "insert", "update")
_MAKE_INDEXES = ("listIndexes", "createIndex")


class MissingRights(NamedTuple):
    """What a role may not do.

    Attributes:
        actions: MongoDB's names of the missing actions, by collection.
        makes_indexes: Whether the role may create the indexes of the tokens.
    """

    actions: dict[str, list[str]]
    makes_indexes: bool

    def __str__(self) -> str:
        return "; ".join(
            f"{', '.join(actions)} in {name}" for name, actions in self.actions.items()
        )


def missing_rights(
    collection: Collection[Document], wanted: Mapping[str, Iterable[str]]
) -> MissingRights:
    """Find out what the role may not do, without doing it.

    Args:
        collection: The collection of the tokens.
        wanted: MongoDB's names of the actions, by collection.
    """
    with pymongo.timeout(TIMEOUT):
        privileges = Privileges(collection.database.client)
    missing = {name: privileges.missing(name, actions) for name, actions in wanted.items()}
    return MissingRights(
        {name: actions for name, actions in missing.items() if actions},
        makes_indexes=not privileges.missing(collection.full_name, _MAKE_INDEXES),
    )


def ensure_indexes(context: CommandContext) -> None:
    """Create the indexes of the tokens. A role that may not create any may use existing ones.

    Raises:
        CommandError: The role may not create indexes, and one is missing.
    """
    try:
        context.repository(idle=existing_idle_index(context.collection)).ensure_indexes()
    except PyMongoError as error:
        if not lacks_privilege(error):
            raise
        _require_indexes(context.collection)


def check_rights(context: CommandContext) -> None:
    """Check that the role may do what a writing command does, without doing it.

    Raises:
        CommandError: It may not; or it may not create indexes, and one is missing.
    """
    collection = context.collection
    wanted = {collection.full_name: _WRITE}
    if context.encryption is not None:
        wanted[context.encryption.key_vault] = _WRITE
    missing = missing_rights(collection, wanted)
    if missing.actions:
        raise CommandError(
            f"the role may not {missing}: it needs what zohoTokenStore may, see "
            "zoho-mongo-store create-roles"
        )
    if not missing.makes_indexes:
        _require_indexes(collection)


def _require_indexes(collection: Collection[Document]) -> None:
    with pymongo.timeout(TIMEOUT):
        missing = [
            index.name
            for index in TOKEN_INDEXES
            if not is_indexed(collection, index.field, unique=index.unique)
        ]
    if missing:
        raise CommandError(
            f"the indexes {', '.join(missing)} of {collection.full_name} are missing, and the role "
            "may not create them: run zoho-mongo-store init as zohoTokenStoreDeploy first"
        )
