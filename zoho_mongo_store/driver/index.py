"""What an index is, and what was done to those of a collection."""

from typing import Any, NamedTuple


class Index(NamedTuple):
    """An ascending index on one field.

    Attributes:
        field: The field that is indexed.
        unique: Whether no two documents may have the same value.
        partial: Whether documents without the field are left out. The planner uses such an index
            for an equality on the field, with the Stable API too; a sparse index it does not.
        expire_after: Seconds after the date in the field at which MongoDB deletes the document (a
            TTL index). ``None``: it deletes nothing.
    """

    field: str
    unique: bool = False
    partial: bool = False
    expire_after: int | None = None

    @property
    def name(self) -> str:
        """The name that MongoDB gives it by default."""
        return f"{self.field}_1"

    @property
    def second_name(self) -> str:
        """Its name where an index of an older layout has the first."""
        return f"{self.field}_v2"

    @property
    def options(self) -> dict[str, Any]:
        """Its options as ``listIndexes`` shows them."""
        options: dict[str, Any] = {}
        if self.unique:
            options["unique"] = True
        if self.partial:
            options["partialFilterExpression"] = {self.field: {"$exists": True}}
        if self.expire_after is not None:
            options["expireAfterSeconds"] = self.expire_after
        return options

    @property
    def older_options(self) -> dict[str, Any]:
        """The options that it had in older releases: sparse, in place of partial or plain."""
        return {"sparse": True, **({"unique": True} if self.unique else {})}


class Changes(NamedTuple):
    """What was done to the indexes of a collection.

    Attributes:
        created: Names of the indexes that were built.
        changed: Names of the TTL indexes that got another time, and of the indexes that replaced
            one of an older layout.
        dropped: Names of the TTL indexes that were removed.
        unchanged: Names of the indexes that existed as they are wanted.
    """

    created: list[str]
    changed: list[str]
    dropped: list[str]
    unchanged: list[str]

    def with_others(self, others: "Changes", prefix: str) -> "Changes":
        """Add the changes of another collection, with ``prefix`` before each of their names."""
        return Changes(
            *(
                own + [prefix + name for name in names]
                for own, names in zip(self, others, strict=True)
            )
        )
