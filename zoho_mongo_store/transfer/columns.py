"""Maps the columns of other stores to the fields of a token, by their names."""

import re
from collections.abc import Collection, Iterable, Sequence

from zoho_mongo_store.transfer.rows import RowError, SourceError
from zoho_mongo_store.transfer.values import is_absent

# The columns of the SDK's MySQL table (db_store.py, save_token).
COLUMNS = (
    "id",
    "user_name",
    "client_id",
    "client_secret",
    "refresh_token",
    "access_token",
    "grant_token",
    "expiry_time",
    "redirect_url",
    "api_domain",
)

# In lower case and without punctuation, so that refreshToken and "Refresh Token" match too.
_FIELDS = {column.replace("_", ""): column for column in COLUMNS} | {
    "usermail": "user_name",  # SDK 2
    "redirecturi": "redirect_url",  # file_store.py, FileStore.__init__
    "expiresin": "expiry_time",  # oauth_token.py
}
_PUNCTUATION = re.compile(r"[\W_]+")
# A name that is safe to show. Anything else may be a value from a damaged file.
_SHOWN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ -]{0,39}")


class Columns:
    """The columns of a source, in the order of its cells."""

    def __init__(self, names: Iterable[str], ignored: Collection[str] = ()) -> None:
        """Look up what each column contains.

        Args:
            names: The names of the columns.
            ignored: Names of columns to leave out.
        """
        self.names = list(names)
        self.fields = [field_of(name) for name in self.names]
        left_out = {_normalized(name) for name in ignored}
        self._unknown = [
            position
            for position, name in enumerate(self.names)
            if self.fields[position] is None and _normalized(name) not in left_out
        ]

    def read(self, cells: Sequence[object]) -> dict[str, object]:
        """Return the values of a row by field.

        Args:
            cells: One value for each column.

        Raises:
            RowError: Two columns contain different values of one field.
            SourceError: There is a value in a column that is neither known nor ignored.
        """
        unknown = [self.names[at] for at in self._unknown if not is_absent(cells[at])]
        if unknown:
            raise unknown_columns(unknown)
        return by_field(zip(self.fields, cells, strict=True))


def field_of(name: str) -> str | None:
    """Return the field that a column of this name contains.

    Case, spaces and punctuation do not matter. ``user_mail``, ``redirect_uri`` and ``expires_in``
    are other names of ``user_name``, ``redirect_url`` and ``expiry_time``.
    """
    return _FIELDS.get(_normalized(name))


def by_field(values: Iterable[tuple[str | None, object]]) -> dict[str, object]:
    """Collect values by field, dropping those without a field.

    Raises:
        RowError: A field has two different values, such as in ``user_name`` and ``user_mail``.
    """
    found: dict[str, object] = {}
    for field, value in values:
        if field is None or is_absent(value):
            continue
        if found.setdefault(field, value) != value:
            raise RowError(f"two columns contain different values of {field}")
    return found


def unknown_columns(names: Iterable[str]) -> SourceError:
    """Create the error for columns with values for which a token has no field."""
    shown = [name if _SHOWN_NAME.fullmatch(name) else "with an unusual name" for name in names]
    return SourceError(
        f"a token has no field for the values in the column {', '.join(shown)}: nothing was "
        "imported; to leave a column out, name it with --ignore-column"
    )


def _normalized(name: str) -> str:
    return _PUNCTUATION.sub("", name).lower()
