"""FileStore files of every shape, made from the fields that are in them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoho_mongo_store.transfer.filestore import FileStoreFile
from zoho_mongo_store.transfer.rows import InvalidRow, Row

NAMES = (
    "id",
    "user_name",
    "client_id",
    "client_secret",
    "refresh_token",
    "access_token",
    "grant_token",
    "expiry_time",
    "redirect_uri",
    "api_domain",
)
DAMAGED = "damaged"


def person(number: int, **changes: str) -> dict[str, str]:
    """The cells of one user's row: every field has a value that shows whose and which it is."""
    cells = {
        "id": f"{number}",
        "user_name": f"user{number}@example.com",
        "client_id": f"1000.CLIENT{number}",
        "client_secret": f"secret{number}",
        "refresh_token": f"1000.REFRESH{number}.r",
        "access_token": f"1000.ACCESS{number}.a",
        "grant_token": f"1000.GRANT{number}.g",
        "expiry_time": f"{1_893_456_000_000 + number}",
        "redirect_uri": f"https://app{number}.example.com/callback",
        "api_domain": f"https://www.zohoapis.example{number}",
    }
    return {**cells, **changes}


@dataclass(frozen=True)
class Shape:
    """How a file is written.

    Attributes:
        names: The columns, by their names in ``NAMES``.
        header: The columns' names as the file has them, if other than ``names``.
    """

    names: Sequence[str] = NAMES
    header: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ","
    line_end: str = "\r\n"
    encoding: str = "utf-8"
    quote: str = ""
    padding: str = ""
    trailing: str = ""

    def line(self, cells: Iterable[str]) -> str:
        """One line, without its end."""
        written = [f"{self.quote}{cell}{self.quote}" for cell in cells]
        return f"{self.delimiter}{self.padding}".join(written) + self.trailing

    def text(self, people: Iterable[Mapping[str, str]]) -> str:
        """The whole file."""
        lines = [self.line(self.header.get(name, name) for name in self.names)]
        lines += [self.line(cells[name] for name in self.names) for cells in people]
        return "".join(line + self.line_end for line in lines)

    def bytes(self, people: Iterable[Mapping[str, str]]) -> bytes:
        """The whole file in its encoding."""
        return self.text(people).encode(self.encoding)


def read(path: Path, content: str | bytes) -> list[dict[str, str] | str]:
    """What is read from a file: the cells of each row, or ``DAMAGED``."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [cells_of(row) for row in FileStoreFile(path).rows()]


def cells_of(row: Row | InvalidRow) -> dict[str, str] | str:
    """A row as the cells that it was made of."""
    if isinstance(row, InvalidRow):
        return DAMAGED
    cells = {
        "redirect_uri" if name == "redirect_url" else name: value
        for name, value in row.document.items()
    }
    if "expiry_time" in cells:
        cells["expiry_time"] = str(round(cells["expiry_time"].timestamp() * 1000))
    return cells
