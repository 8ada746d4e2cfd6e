"""An index, and what was done to the indexes of a collection."""

from typing import Any, NamedTuple


class Index(NamedTuple):
    """An ascending index on one field.

    Attributes:
        field: The indexed field.
        unique: Whether no two documents may have the same value.
        partial: Whether documents without the field are left out. The planner uses a partial index
            for an equality match on the field, even with the strict Stable API; it does not use a
            sparse index.
        expire_after: MongoDB deletes a document this many seconds after the date in the field (a
            TTL index). ``None``: it deletes nothing.
    """

    field: str
    unique: bool = False
    partial: bool = False
    expire_after: int | None = None

    @property
    def name(self) -> str:
        """MongoDB's default name for it."""
        return f"{self.field}_1"

    @property
    def second_name(self) -> str:
        """Its name if an index of an older layout has the default name."""
        return f"{self.field}_v2"

    @property
    def options(self) -> dict[str, Any]:
        """Its options as ``listIndexes`` returns them."""
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
        """The options that it had in older releases: sparse instead of partial or plain."""
        return {"sparse": True, **({"unique": True} if self.unique else {})}


class Changes(NamedTuple):
    """What was done to the indexes of a collection.

    Attributes:
        created: Names of the indexes that were created.
        changed: Names of the TTL indexes that got a different time, and of the indexes that
            replaced one of an older layout.
        dropped: Names of the TTL indexes that were dropped.
        unchanged: Names of the existing indexes that were already as they should be.
    """

    created: list[str]
    changed: list[str]
    dropped: list[str]
    unchanged: list[str]

    def with_others(self, others: "Changes", prefix: str) -> "Changes":
        """Add the changes of another collection, with ``prefix`` before each name."""
        return Changes(
            *(
                own + [prefix + name for name in names]
                for own, names in zip(self, others, strict=True)
            )
        )
