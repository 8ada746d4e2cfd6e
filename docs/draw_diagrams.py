"""Draw the diagrams of the documentation, as SVG, into docs/images.

    python docs/draw_diagrams.py          write them
    python docs/draw_diagrams.py --check  end with 1 if they are not up to date

They have a light background of their own, so that they can be read on a dark page too.
"""

import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

IMAGES = Path(__file__).parent / "images"
INK, LINE, SOFT, ACCENT, PAPER = "#24323d", "#5f7180", "#eaf0f3", "#00796b", "#ffffff"
FONT = "font-family='system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif'"
ROW = 34
TOP = 62


class Message(NamedTuple):
    """An arrow from one column to another. ``later`` draws it dashed, as an answer."""

    sender: int
    receiver: int
    text: str
    later: bool = False


class Note(NamedTuple):
    """Words in a box across some columns."""

    first: int
    last: int
    text: str


Step = Message | Note
ACTORS = ("worker A", "worker B", "MongoDB", "Zoho")
COLUMNS = (90, 280, 520, 760)
A, B, MONGODB, ZOHO = range(4)

REFRESH: Sequence[Step] = (
    Message(A, MONGODB, "find the token: it has expired"),
    Message(B, MONGODB, "find the token: it has expired"),
    Message(A, MONGODB, "acquire the lease: yours for 20 s"),
    Message(B, MONGODB, "acquire the lease: A has it"),
    Message(A, MONGODB, "read the token again: still expired"),
    Message(A, ZOHO, "POST /oauth/v2/token"),
    Message(B, MONGODB, "read the lease: A has it"),
    Message(ZOHO, A, "new access token", later=True),
    Message(A, MONGODB, "save it, if the old one still stands there"),
    Message(A, MONGODB, "release the lease"),
    Message(B, MONGODB, "read the lease: free"),
    Message(B, MONGODB, "find the token: the new one"),
    Note(A, ZOHO, "A and B make their API calls with the same access token"),
)
TAKEOVER: Sequence[Step] = (
    Message(A, MONGODB, "acquire the lease: yours for 20 s"),
    Message(A, ZOHO, "POST /oauth/v2/token"),
    Note(A, A, "A hangs"),
    Message(B, MONGODB, "read the lease: A has it, for 20 s"),
    Note(B, MONGODB, "the lease runs out"),
    Message(B, MONGODB, "acquire it in A's place: yours for 20 s"),
    Message(B, ZOHO, "POST /oauth/v2/token"),
    Message(ZOHO, B, "new access token", later=True),
    Message(B, MONGODB, "save it, release the lease"),
    Message(ZOHO, A, "late answer", later=True),
    Message(A, MONGODB, "extend the lease: no longer yours"),
    Message(A, MONGODB, "find the token: B's, with which A goes on"),
)


def sequence(steps: Sequence[Step]) -> str:
    """A sequence diagram of the four actors."""
    height = TOP + ROW * len(steps) + 20
    return "".join(_document(850, height, _sequence_parts(steps, height)))


def _sequence_parts(steps: Sequence[Step], height: int) -> Iterator[str]:
    for name, x in zip(ACTORS, COLUMNS, strict=True):
        yield f"<line x1='{x}' y1='44' x2='{x}' y2='{height - 12}' stroke='#b9c6cf'/>"
        yield _box(x - 60, 14, 120, 30, name, SOFT, weight=600)
    for number, step in enumerate(steps):
        y = TOP + ROW * number + 22
        if isinstance(step, Note):
            left, right = COLUMNS[step.first] - 50, COLUMNS[step.last] + 50
            yield _box(left, y - 17, right - left, 26, step.text, "#fdf3d8")
        else:
            yield from _arrow(step, y)


def _arrow(step: Message, y: int) -> Iterator[str]:
    start, end = COLUMNS[step.sender], COLUMNS[step.receiver]
    way = 1 if end > start else -1
    tip = end - way * 2
    color = ACCENT if ZOHO in (step.sender, step.receiver) else LINE
    dashes = " stroke-dasharray='5 4'" if step.later else ""
    yield (
        f"<line x1='{start}' y1='{y}' x2='{tip - way * 7}' y2='{y}' stroke='{color}' "
        f"stroke-width='1.6'{dashes}/>"
    )
    yield (
        f"<path d='M{tip} {y} l{-way * 9} -4.5 v9 z' fill='{color}'/>"
        f"<circle cx='{start}' cy='{y}' r='2.5' fill='{color}'/>"
    )
    # By the arrow's head, where no other column's line is crossed more often than need be.
    between = (max(start, end) + sorted(x for x in COLUMNS if x < max(start, end))[-1]) / 2
    yield _text(between, y - 7, step.text, size=12, halo=True)


def overview() -> str:
    """Processes on hosts, one MongoDB, one request to Zoho."""
    return "".join(_document(850, 330, _overview_parts()))


def _overview_parts() -> Iterator[str]:
    for host, y in (("host 1", 20), ("host 2", 175)):
        yield f"<rect x='20' y='{y}' width='250' height='135' rx='8' fill='{SOFT}'/>"
        yield _text(145, y + 22, host, weight=600)
    places = {"gunicorn worker": 52, "Celery worker": 98, "Celery worker ": 207, "script": 253}
    for name, y in places.items():
        yield _box(45, y, 200, 34, name.strip(), PAPER)
    yield _box(405, 105, 180, 110, "", "#d7ece8")
    yield _text(495, 135, "MongoDB", weight=600)
    yield _text(495, 160, "one document per token", size=12)
    yield _text(495, 182, "one lease per credential", size=12)
    yield _box(720, 135, 110, 50, "Zoho", "#fdf3d8", weight=600)
    for y in places.values():
        yield (
            f"<path d='M245 {y + 17} C 330 {y + 17}, 330 160, 403 160' fill='none' "
            f"stroke='{LINE}' stroke-width='1.4'/>"
        )
    yield _text(495, 240, "all find the token here, and wait here for the new one", size=12)
    yield (
        f"<path d='M245 69 C 420 40, 600 40, 740 128' fill='none' stroke='{ACCENT}' "
        "stroke-width='2.2'/>"
        f"<path d='M745 134 l-11.5 -4 l7.5 -6.5 z' fill='{ACCENT}'/>"
    )
    yield _text(560, 48, "one refresh, by whichever holds the lease", size=13, weight=600)


def _document(width: int, height: int, parts: Iterator[str]) -> Iterator[str]:
    yield (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' {FONT}>\n"
        f"<rect width='{width}' height='{height}' rx='8' fill='{PAPER}'/>\n"
    )
    for part in parts:
        yield part + "\n"
    yield "</svg>\n"


def _box(
    x: float, y: float, width: float, height: float, text: str, fill: str, weight: int = 400
) -> str:
    box = (
        f"<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='5' fill='{fill}' "
        f"stroke='{LINE}' stroke-width='0.8'/>"
    )
    return box + _text(x + width / 2, y + height / 2 + 4.5, text, weight=weight)


def _text(
    x: float, y: float, text: str, size: int = 13, weight: int = 400, *, halo: bool = False
) -> str:
    outline = f" stroke='{PAPER}' stroke-width='5' paint-order='stroke'" if halo else ""
    return (
        f"<text x='{x:g}' y='{y:g}' font-size='{size}' font-weight='{weight}' fill='{INK}' "
        f"text-anchor='middle'{outline}>{escape(text)}</text>"
    )


DIAGRAMS = {
    "refresh.svg": sequence(REFRESH),
    "takeover.svg": sequence(TAKEOVER),
    "overview.svg": overview(),
}


def main() -> None:
    """Write the diagrams, or check them."""
    for name, drawn in DIAGRAMS.items():
        if "--check" not in sys.argv:
            (IMAGES / name).write_text(drawn)
        elif (IMAGES / name).read_text() != drawn:
            sys.exit(f"{name} is out of date: run python docs/draw_diagrams.py")


if __name__ == "__main__":
    main()
