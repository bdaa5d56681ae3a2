"""Reading the codes of a scanned side: quickly when it is clean, stubbornly when it is not.

Nearly every side is read from the corners of a small picture. What that misses is looked at again,
only where something as dark and as large as a code stands, in every way that `cascade` has.
No look is trusted: the authentication tag of a code decides, whoever read it.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Protocol

import numpy as np
import zxingcpp

from docgen import pagecode
from docgen.errors import CodeRefused
from docgen.scanning import blanks, cascade, geometry
from docgen.scanning.cascade import Grey, Window
from docgen.scanning.findings import Reading, Seen, Verdict

QUICK = 95.0  # dpi: 2.65 pixels a module, read as well as any more (measured)
LEAST = 60.0  # dpi under which nothing printed at 18 mm is sure to be read
FULL = 320.0  # dpi: more than this only costs time
LONG = 297 / 25.4  # inches
FAR = 10 * geometry.MM  # two sightings of one code further apart are two pieces of paper


class Picture(Protocol):
    """What is asked of a scanned picture (`images.Picture`)."""

    @property
    def index(self) -> int: ...  # noqa: D102
    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def height(self) -> int: ...  # noqa: D102
    @property
    def dpi(self) -> float: ...  # noqa: D102
    @property
    def turned(self) -> int: ...  # noqa: D102
    @property
    def fault(self) -> str: ...  # noqa: D102
    def grey(self, reduce: int = 1) -> Grey: ...  # noqa: D102


class Judge:
    """Sorts the symbols seen on a side: authentic, written as ours but refused, strangers."""

    def __init__(self, keys: Mapping[int, pagecode.Key]) -> None:
        """Take the keys of the installation, by their numbers."""
        self.keys = keys
        self.seen: list[Seen] = []
        self.refused: dict[str, bool] = {}
        self.strangers: set[str] = set()

    def hear(self, found: Iterable[zxingcpp.Barcode], window: Window) -> bool:
        """Take the symbols found in a window; tell whether one of them is authentic."""
        heard = False
        for symbol in found:
            place = symbol.position
            points = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
            heard |= self.take(symbol.text, window.quad((at.x, at.y) for at in points))
        return heard

    def take(self, text: str, quad: tuple[tuple[float, float], ...]) -> bool:
        """Take what one symbol says; tell whether it is authentic."""
        try:
            code = pagecode.parse(text, self.keys)
        except CodeRefused:
            if len(text) == pagecode.LENGTH and text.startswith(pagecode.PREFIX):
                self.refused[text] = _key_number(text) in self.keys
            else:
                self.strangers.add(text)
            return False
        said = Seen(
            document=code.document.hex(),
            side=code.side,
            sides=code.sides,
            corner=code.corner,
            quad=quad,
        )
        if not any(_same(said, other) for other in self.seen):
            self.seen.append(said)
        return True


def read(picture: Picture, keys: Mapping[int, pagecode.Key]) -> Reading:
    """Read one side: its codes, how it lies, whether it is blank."""
    told: dict[str, Any] = {
        "index": picture.index,
        "width": picture.width,
        "height": picture.height,
        "dpi": picture.dpi,
        "rotation": picture.turned,
    }
    if picture.fault:
        return Reading(verdict="unreadable", reason=picture.fault, **told)
    dpi = max(picture.width, picture.height) / LONG  # of a side that fills the picture
    reduce = _reduction(dpi)
    grey = picture.grey(reduce)
    judge = Judge(keys)
    step = _quick(judge, grey, picture.width / grey.shape[1], dpi / reduce)
    squares: list[tuple[float, float]] = []
    if not judge.seen:
        squares = cascade.dark_squares(grey, dpi / reduce)
        step = _rescue(judge, picture, squares, reduce, dpi)
    told |= {"step": step, "strangers": len(judge.strangers), "codes": tuple(judge.seen)}
    if judge.seen:
        return _coded(judge, picture, grey, told)
    told["ink"] = blanks.ink(grey, dpi / reduce)
    verdict, reason = _without_code(judge, dpi, _cornered(squares, grey, dpi / reduce), told["ink"])
    return Reading(verdict=verdict, reason=reason, **told)


def _reduction(dpi: float) -> int:
    """Choose by how much a picture may be reduced and still be read."""
    return next((by for by in (4, 2) if dpi / by >= QUICK), 1)


def _quick(judge: Judge, grey: Grey, scale: float, dpi: float) -> str:
    """Look at the corners of a small picture, then at the whole of it."""
    for window in cascade.corners(grey, scale, dpi):
        judge.hear(cascade.decode(window.pixels), window)
    if judge.seen:
        return "corners"
    window = Window(grey, 0, 0, scale)
    return "page" if judge.hear(cascade.decode(grey), window) else ""


def _rescue(
    judge: Judge, picture: Picture, squares: list[tuple[float, float]], reduce: int, dpi: float
) -> str:
    """Look in every way at what may be a code; give the name of the step that read one."""
    if not squares:
        return ""
    by = next((by for by in (4, 2) if dpi / by >= FULL), 1)
    full = picture.grey(by)
    scale = picture.width / full.shape[1]
    windows = [
        cascade.around(full, (x * reduce / by, y * reduce / by), scale, dpi / by)
        for x, y in squares
    ]
    for round_ in _rounds(windows):
        for name, window, found in round_:
            if judge.hear(found, window):
                return name
    return ""


def _rounds(
    windows: list[Window],
) -> Iterator[Iterator[tuple[str, Window, list[zxingcpp.Barcode]]]]:
    """Try each step on all the windows before the next step."""
    for step in cascade.STEPS:
        yield chain.from_iterable(cascade.looks(window, (step,)) for window in windows)


def _coded(judge: Judge, picture: Picture, grey: Grey, told: dict[str, Any]) -> Reading:
    """Decide of a side with authentic codes, and say how it lies."""
    lie = geometry.lie(judge.seen, picture.width, picture.height, picture.dpi)
    said = {(code.document, code.side, code.sides) for code in judge.seen}
    places = {code.corner for code in judge.seen}
    verdict, reason = "coded", "" if len(judge.seen) > 1 else "one-code"
    if len(said) > 1 or judge.refused:
        verdict, reason = "inconsistent", "codes-disagree"
    elif len(places) < len(judge.seen) or lie.astray or not _placed(judge, picture):
        verdict, reason = "inconsistent", "code-misplaced"
    told |= {"matrix": lie.matrix, "rotation": lie.rotation, "skew": lie.skew}
    told["quality"] = _quality(judge, told["step"], lie, picture, grey)
    return Reading(verdict=verdict, reason=reason, **told)  # type: ignore[arg-type]


def _placed(judge: Judge, picture: Picture) -> bool:
    return all(geometry.fits(code, picture.width, picture.height) for code in judge.seen)


def _without_code(judge: Judge, dpi: float, square: bool, ink: float) -> tuple[Verdict, str]:
    """Decide of a side without any authentic code."""
    if judge.refused:
        return "foreign", "code-refused" if any(judge.refused.values()) else "other-key"
    if blanks.is_blank(ink):
        return "blank", ""
    if dpi < LEAST:
        return "unreadable", "too-coarse"
    if judge.strangers:
        return "bare", "other-code"
    return ("unreadable", "code-damaged") if square else ("bare", "")


def _cornered(squares: list[tuple[float, float]], grey: Grey, dpi: float) -> bool:
    """Tell whether one of the dark squares stands where a code does."""
    reach = cascade.CORNER / 25.4 * dpi
    height, width = grey.shape
    return any(min(x, width - x) < reach and min(y, height - y) < reach for x, y in squares)


def _quality(judge: Judge, step: str, lie: geometry.Lie, picture: Picture, grey: Grey) -> float:
    """Tell the better of two scans: more is better, 1 is a whole side at 200 dpi, read at once.

    A product: codes read without help, resolution (more than 200 dpi shows little more), contrast,
    and the share of the side that is in the picture.
    """
    codes = min(len(judge.seen), 2) / 2 if step in ("corners", "page") else 0.25
    fine = min(72 / np.hypot(lie.matrix.a, lie.matrix.b), 200) / 200
    dark, light = np.percentile(grey[::7, ::7], (1, 75))
    contrast = (light - dark) / 255
    return float((0.5 + codes / 2) * fine**0.5 * contrast * _shown(lie, picture))


def _shown(lie: geometry.Lie, picture: Picture) -> float:
    """Give the share of a side that its picture shows, from points spread over the side."""
    across, down = (np.linspace(0, length, 12) for length in lie.size)
    points = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    slack = 0.02 * max(picture.width, picture.height)
    pixels = geometry.moved(lie.matrix.inverse(), points)
    inside = (pixels > -slack) & (pixels < np.array([picture.width, picture.height]) + slack)
    return float(np.all(inside, axis=1).mean())


def _key_number(text: str) -> int:
    """Give the number of the key that a code says it was made with, or -1."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    first, second = (letters.find(letter) for letter in text[2:4])
    return -1 if first < 0 or second < 0 else (first << 5 | second) >> 4 & 15


def _same(one: Seen, other: Seen) -> bool:
    """Tell whether two sightings are of one symbol."""
    if (one.document, one.side, one.sides, one.corner) != (
        other.document,
        other.side,
        other.sides,
        other.corner,
    ):
        return False
    (ax, ay), (bx, by) = (np.mean(code.quad, axis=0) for code in (one, other))
    return bool(np.hypot(ax - bx, ay - by) < geometry.span(one.quad) / 2)
