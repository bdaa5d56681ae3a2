"""Reading the codes of a scanned side: quickly when it is clean, stubbornly when it is not.

Nearly every side is read from the corners of a small picture. What that misses is looked at again,
only where something as dark and as large as a code stands, in every way that `cascade` has.
No look is trusted: the authentication tag of a code decides, whoever read it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
import zxingcpp

from docgen import pagecode
from docgen.errors import CodeRefused
from docgen.scanning import blanks, cascade, geometry, matching, repair
from docgen.scanning.cascade import Grey, Window
from docgen.scanning.findings import Reading, Seen, Verdict
from docgen.scanning.matching import Awaited
from docgen.scanning.picture import Picture

QUICK = 95.0  # dpi: 2.65 pixels a module, read as well as any more (measured)
LEAST = 60.0  # dpi under which nothing printed at 18 mm is sure to be read
FULL = 320.0  # dpi: more than this only costs time
ENOUGH = 200.0  # dpi: modules measured one by one need no more
LEFT = 0.42  # of 1: in its corner, what is more like a code is the remains of one (letters: 0.30)
LONG = 297 / 25.4  # inches
LIKELY = 1.25  # an A4 side is so many times larger or smaller, at most, than its picture
ROUGH = 0.5 * geometry.MM  # codes further from their places are measured again, more finely
SLIPPED = 0.004  # a side whose scale is so far from the file's dpi may be stretched
ANYWHERE = 6  # squares looked at in a photograph: the paper may lie on something busy


class Judge:
    """Sorts the symbols seen on a side: authentic, written as ours but refused, strangers."""

    def __init__(self, keys: Mapping[int, pagecode.Key]) -> None:
        """Take the keys of the installation, by their numbers."""
        self.keys = keys
        self.seen: list[Seen] = []
        self.refused: dict[str, bool] = {}
        self.strangers: set[str] = set()

    def hear(self, found: Iterable[zxingcpp.Barcode], window: Window) -> bool:
        """Take the symbols found in a window; tell whether one of them is authentic.

        What shines through paper is mirrored: it is printed on the other side, and not heard.
        """
        heard = False
        for symbol in found:
            place = symbol.position
            corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
            points = [(at.x, at.y) for at in corners]
            if not repair.is_mirrored(window.pixels, points, symbol.text):
                heard |= self.take(symbol.text, window.quad(points))
        return heard

    def take(self, text: str, quad: tuple[tuple[float, float], ...], sure: bool = True) -> bool:
        """Take what one symbol says; tell whether it is authentic.

        What is not authentic, and not sure to be what is printed, is forgotten.
        """
        try:
            code = pagecode.parse(text, self.keys)
        except CodeRefused:
            if not sure:
                return False
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


def read(
    picture: Picture, keys: Mapping[int, pagecode.Key], awaited: Awaited | None = None
) -> Reading:
    """Read one side: its codes, how it lies, whether it is blank.

    Codes that cannot be read are compared with those that are `awaited`.
    """
    told: dict[str, Any] = {
        "index": picture.index,
        "width": picture.width,
        "height": picture.height,
        "dpi": picture.dpi,
        "rotation": picture.turned,
    }
    if picture.fault:
        return Reading(verdict="unreadable", reason=picture.fault, **told)
    dpi, sure = _dpi(picture)
    reduce = _reduction(dpi)
    grey = picture.grey(reduce)
    judge = Judge(keys)
    step, present = _quick(judge, grey, reduce, dpi / reduce), False
    if not judge.seen:
        squares = cascade.busy_squares(grey, dpi / reduce, cascade.SQUARES if sure else ANYWHERE)
        places = [(x * reduce, y * reduce) for x, y in squares]
        step, present = _rescue(judge, picture, places)
        if places and not (judge.seen or judge.refused or judge.strangers):
            matched, there = _match(judge, picture, places, awaited)
            step, present = matched or step, present or there
    told |= {"step": step, "strangers": len(judge.strangers), "codes": tuple(judge.seen)}
    if judge.seen:
        return _coded(judge, picture, grey, told)
    told["ink"] = blanks.ink(grey, dpi / reduce)
    verdict, reason = _without_code(judge, dpi, present, told["ink"])
    return Reading(verdict=verdict, reason=reason, **told)


def _dpi(picture: Picture) -> tuple[float, bool]:
    """Give the dpi of a picture, and whether to believe them: they make it about as large as A4."""
    filled = max(picture.width, picture.height, 1) / LONG
    sure = 1 / LIKELY < picture.dpi / filled < LIKELY
    return (picture.dpi if sure else filled), sure


def _reduction(dpi: float) -> int:
    """Choose by how much a picture may be reduced and still be read."""
    return next((by for by in (4, 2) if dpi / by >= QUICK), 1)


def _quick(judge: Judge, grey: Grey, scale: float, dpi: float) -> str:
    """Look at the corners of a small picture, then at the whole of it."""
    windows = cascade.corners(grey, scale, dpi)
    for window in windows:
        judge.hear(cascade.decode(window.pixels), window)
    if not judge.seen:
        window = Window(grey, 0, 0, scale)
        return "page" if judge.hear(cascade.decode(grey), window) else ""
    if len(judge.seen) == 1:
        opposite = max(windows, key=lambda window: _away(window, judge.seen[0]))
        for _, window, found in cascade.looks(opposite, cascade.TONER):
            judge.hear(found, window)
    return "corners"


def _away(window: Window, code: Seen) -> float:
    """Give how far a window is from a code, in stored pixels."""
    (x, y), *_ = code.quad
    return abs(window.x - x) + abs(window.y - y)


def _rescue(judge: Judge, picture: Picture, squares: list[tuple[float, float]]) -> tuple[str, bool]:
    """Look in every way at what may be a code, around these points of the stored image.

    Gives the name of the step that read one, and whether there is a code at all.
    """
    if not squares:
        return "", False
    dpi, sure = _dpi(picture)
    by = next((by for by in (4, 2) if dpi / by >= FULL), 1)
    full = picture.grey(by)
    windows = [cascade.around(full, (x / by, y / by), by, dpi / by) for x, y in squares]
    for step in cascade.STEPS:
        for each in windows:
            for name, window, found in cascade.looks(each, (step,)):
                if judge.hear(found, window):
                    return name, True
    return _repair(judge, windows, dpi / by, repair.SCANNED if sure else repair.PHOTOGRAPHED)


def _match(
    judge: Judge, picture: Picture, squares: list[tuple[float, float]], awaited: Awaited | None
) -> tuple[str, bool]:
    """Compare what is where codes must be with the awaited ones; tell whether there are any.

    In the corners of a scan, then wherever dark and light alternate, of any size that a code has in
    a photograph.
    """
    dpi, _ = _dpi(picture)
    by = next((by for by in (4, 2) if dpi / by >= ENOUGH), 1)
    grey, size = picture.grey(by), (picture.width, picture.height)
    busy = [cascade.around(grey, (x / by, y / by), by, dpi / by) for x, y in squares]
    for windows, scales, left in (
        (cascade.corners(grey, by, dpi / by), repair.SCANNED, LEFT),
        (busy, repair.PHOTOGRAPHED[:-1], repair.CERTAIN),
    ):
        there = False
        for found in matching.search(windows, dpi / by, scales, size):
            there |= any(place.score > left for each in found.values() for _, place in each)
            if awaited and (same := matching.match(awaited, found)):
                judge.seen += _recognised(same)
                return "matched", True
        if there:
            return "", True
    return "", False


def _recognised(same: matching.Match) -> list[Seen]:
    said: dict[str, Any] = {"document": same.document, "side": same.side, "sides": same.sides}
    found = []
    for corner, (window, place) in same.places.items():
        quad = window.quad((float(x), float(y)) for x, y in place.quad)
        found.append(Seen(**said, corner=corner, quad=quad))
    return found


def _repair(
    judge: Judge, windows: list[Window], dpi: float, scales: tuple[float, ...]
) -> tuple[str, bool]:
    """Look where only parts of a code are left, the likeliest places first."""
    places = [
        (place, each) for each in windows for place in repair.apart(repair.find(each, dpi, scales))
    ]
    places.sort(key=lambda found: -found[0].score)
    for place, window in places[: repair.MOST]:
        settled = repair.settle(window, place)
        quad = window.quad((float(x), float(y)) for x, y in settled.quad)
        if any(judge.take(text, quad, sure) for text, sure in repair.texts(window, settled)):
            return "repair", True
    return "", bool(places)


def _coded(judge: Judge, picture: Picture, grey: Grey, told: dict[str, Any]) -> Reading:
    """Decide of a side with authentic codes, and say how it lies."""
    lie = geometry.lie(judge.seen, picture.width, picture.height, picture.dpi)
    off = abs(picture.dpi * np.hypot(lie.matrix.a, lie.matrix.b) / 72 - 1)
    if len(judge.seen) == 1 or lie.error > ROUGH or SLIPPED < off < geometry.SANE:
        sharp = [_sharpened(code, grey, picture) for code in judge.seen]
        lie = geometry.lie(sharp, picture.width, picture.height, picture.dpi, fine=True)
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


def _sharpened(code: Seen, grey: Grey, picture: Picture) -> Seen:
    """Measure the corners of a code between pixels: the decoder gives whole ones."""
    scale = picture.width / grey.shape[1]
    quad = np.array(code.quad) / scale
    x, y = quad.mean(axis=0)
    window = cascade.around(grey, (x, y), scale, geometry.span(code.quad) / scale * 25.4 / 18)
    inside = quad - (window.x / scale, window.y / scale)
    settled = repair.settle(window, repair.Place(inside, 0.0), repair.FINER)
    points = window.quad((float(u), float(v)) for u, v in settled.quad)
    return msgspec.structs.replace(code, quad=points)


def _placed(judge: Judge, picture: Picture) -> bool:
    size = picture.width, picture.height
    return all(geometry.fits(code.corner, code.quad, *size) for code in judge.seen)


def _without_code(judge: Judge, dpi: float, square: bool, ink: float) -> tuple[Verdict, str]:
    """Decide of a side without any authentic code."""
    if judge.refused:
        return "foreign", "code-refused" if any(judge.refused.values()) else "other-key"
    if dpi < LEAST:
        return "unreadable", "too-coarse"
    if blanks.is_blank(ink):
        return "blank", ""
    if judge.strangers:
        return "bare", "other-code"
    return ("unreadable", "code-damaged") if square else ("bare", "")


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
