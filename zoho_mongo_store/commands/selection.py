"""The token that a command is about: selected by an id or a user."""

from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from zoho_mongo_store.commands.failures import CommandError

if TYPE_CHECKING:
    from zoho_mongo_store.storage.repository import TokenRepository


class Selection(NamedTuple):
    """One token, selected by an equality on an indexed field.

    Attributes:
        field: The field: ``id`` or ``user_name``.
        value: Its value.
    """

    field: str
    value: str

    @classmethod
    def of(cls, id: str | None, user: str | None) -> "Selection":
        """Create it from what was given on the command line.

        Raises:
            typer.BadParameter: Neither an id nor a user was given, or both: a usage error.
        """
        if id is not None and user is None:
            return cls("id", id)
        if user is not None and id is None:
            return cls("user_name", user)
        raise typer.BadParameter("give either an id or --user")

    @property
    def filter(self) -> dict[str, str]:
        """The filter that finds it."""
        return {self.field: self.value}

    def require(self, tokens: "TokenRepository") -> dict[str, Any]:
        """Read its document, with the secrets in plain text.

        Raises:
            CommandError: The token is not stored.
        """
        stored = tokens.find([self.filter])
        if stored is None:
            raise self.not_found()
        return stored

    def not_found(self) -> CommandError:
        """Create the error for a token that is not stored."""
        return CommandError(f"no token has the {self}")

    def as_json(self) -> dict[str, str]:
        """Return it for JSON, with the names that ``list --json`` uses."""
        return {"id" if self.field == "id" else "user": self.value}

    def __str__(self) -> str:
        return f"{'id' if self.field == 'id' else 'user'} {self.value}"
