"""Checks the names of databases and collections against MongoDB's rules."""

from zoho_mongo_store.errors import InvalidInputError

# https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions, except for Windows.
_LONGEST_DATABASE = 63
_LONGEST_NAMESPACE = 255
_NOT_IN_DATABASE = '/\\. "$'
_NOT_REPLICATED = "local"


def check_database_name(name: object, shown_as: str) -> str:
    """Check that MongoDB allows a name for a database.

    Args:
        name: The name.
        shown_as: What the error calls it.

    Returns:
        The name.

    Raises:
        InvalidInputError: MongoDB does not allow it.
    """
    name = _checked_text(name, shown_as)
    if any(one in _NOT_IN_DATABASE or not one.isprintable() for one in name):
        raise InvalidInputError(
            f"{shown_as} contains a character that is not allowed in a database's name: white "
            'space, a control character, or one of / \\ . " $'
        )
    if len(name.encode()) > _LONGEST_DATABASE:
        raise InvalidInputError(
            f"{shown_as} is longer than {_LONGEST_DATABASE} bytes, MongoDB's limit"
        )
    if name == _NOT_REPLICATED:
        raise InvalidInputError(
            f"{shown_as} is local, which MongoDB does not replicate: choose another database"
        )
    return name


def check_collection_name(name: object, database: str, shown_as: str, suffix: str = "") -> str:
    """Check that MongoDB allows a name for a collection.

    Args:
        name: The name.
        database: The name of its database, which counts towards the length.
        shown_as: What the error calls it.
        suffix: The longest suffix that is appended to it for another collection.

    Returns:
        The name.

    Raises:
        InvalidInputError: MongoDB does not allow it.
    """
    name = _checked_text(name, shown_as)
    if "$" in name or any(one != " " and not one.isprintable() for one in name):
        raise InvalidInputError(
            f"{shown_as} contains a character that is not allowed in a collection's name: $ or a "
            "control character"
        )
    if name.startswith(".") or name.endswith(".") or ".." in name:
        raise InvalidInputError(
            f"{shown_as} must not begin or end with a dot, or contain two dots in a row"
        )
    if f".{name}{suffix}".find(".system.") >= 0:
        raise InvalidInputError(f"{shown_as} is reserved for MongoDB's own collections: system.*")
    if len(f"{database}.{name}{suffix}".encode()) > _LONGEST_NAMESPACE:
        raise InvalidInputError(
            f"{shown_as} is too long: together with its database and {suffix or 'a dot'} it may "
            f"have at most {_LONGEST_NAMESPACE} bytes"
        )
    return name


def _checked_text(name: object, shown_as: str) -> str:
    if not isinstance(name, str):
        raise InvalidInputError(f"{shown_as} must be a string, not {type(name).__name__}")
    if not name:
        raise InvalidInputError(f"{shown_as} is empty")
    return name
