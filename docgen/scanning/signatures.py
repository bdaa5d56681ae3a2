"""Is a zone signed? Ink is looked for where the codes say that it stands, against the empty form.

The zone is brought from the scan to a grid of its own, in millimetres. What is printed there is
found again and put aside; so are specks and lines that only cross the zone. What is left is ink
that somebody laid.
"""

from functools import lru_cache
from math import ceil, hypot, nan
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

import msgspec
import numpy as np
import pypdfium2
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from docgen.scanning.findings import Matrix
from docgen.scanning.geometry import A4
from docgen.scanning.strokes import Mask, grown, of_a_hand

Grey: TypeAlias = NDArray[np.uint8]
Box: TypeAlias = tuple[float, float, float, float]

GRID = 5  # pixels in a millimetre of the zone's own grid: 127 dpi
FINER = 2  # sampled finer, then reduced, so that thin strokes are not missed
POINT = GRID * 25.4 / 72  # pixels of the grid in a point
ENOUGH = 140.0  # dpi of the picture that is looked at, when it has more
NEAR, FAR = 8, 20  # mm around a zone: what is printed there tells where the zone really is
FOUND = 0.75  # of the print is found: if less, it is looked for farther, and leaning
LEANS = (0.0, 0.02, -0.02, 0.04, -0.04, 0.06, -0.06, 0.08, -0.08)  # of photographs taken by hand
SEEN = 0.9  # of a zone is in the picture, at least
CELL = 2 * GRID  # pixels of the squares whose paper is measured
FAINT = 0.25  # of the contrast between paper and print: less is no ink
TILE = 14 * GRID  # pixels of the tiles where print is found again
SMOOTH = 30  # pixels: what has small factors is transformed several times faster
STRAY = 2 * GRID  # pixels by which a tile may stray from the whole
EXPLAINED = 5  # pixels around print that print explains: a millimetre
INSET = 1  # mm inside the edges of a zone, where nothing is counted
SIZED = 0.025  # a scan is of its paper's size so nearly; photographs are 4:3, which A4 is not
SIGNED = 3.0  # mm2: small initials with a thin pen leave 6, what is left of specks and print less


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """A zone that somebody signs: left, bottom, width, height in points, on a side from 1."""

    name: str
    label: str
    side: int
    box: Box
    required: bool = True


class Boxed(Protocol):
    """What has a place on its side."""

    @property
    def box(self) -> Box: ...  # noqa: D102


class Picture(Protocol):
    """What is asked of a scanned picture (`images.Picture`)."""

    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def height(self) -> int: ...  # noqa: D102
    def grey(self, reduce: int = 1) -> Grey: ...  # noqa: D102


class Printed(NamedTuple):
    """A side as it was printed, before anybody wrote on it: whole, upright, at so many dpi."""

    picture: Grey
    dpi: float


class _Kept:
    """Pixels known by the memory that they are in: the same side is asked for again and again."""

    def __init__(self, pixels: Grey) -> None:
        self.pixels = pixels

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and other.pixels is self.pixels

    def __hash__(self) -> int:
        return id(self.pixels)


class _Look(NamedTuple):
    """A zone looked at: its ink, its print where it was found, how far, and the share found."""

    dark: Mask
    told: Mask
    shift: tuple[int, int]
    share: float
    margin: int


def printed(pdf: bytes | Path, page: int, dpi: float) -> Printed:
    """Draw a side that nobody wrote on, by its page counted from 0."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        bitmap = document[page].render(scale=dpi / 72, grayscale=True)
        return Printed(bitmap.to_numpy().reshape(bitmap.height, -1)[:, : bitmap.width].copy(), dpi)
    finally:
        document.close()


def measure(picture: Picture, matrix: Matrix, zone: Boxed, printed: Printed) -> float:
    """Measure the ink, in mm2, that somebody laid in a zone; nan when the picture cuts it off."""
    if not _is_seen(picture, matrix, zone.box):
        return nan
    look = _look(picture, matrix, zone.box, printed, is_far=False)
    if look.share < FOUND:
        farther = _look(picture, matrix, zone.box, printed, is_far=True)
        look = max(look, farther, key=lambda each: each.share)
    return _ink(look)


def is_sure(codes: int, matrix: Matrix, size: tuple[int, int], dpi: float) -> bool:
    """Tell whether a matrix holds far from its codes: from two of them, or one on a whole scan.

    `size` is the picture's, in pixels: of a photograph, one code does not tell how it leans.
    """
    if codes > 1 or dpi <= 0:
        return codes > 1
    paper = zip(sorted(size), A4, strict=True)
    sized = all(abs(pixels * 72 / dpi / points - 1) < SIZED for pixels, points in paper)
    return sized and abs(hypot(matrix.a, matrix.b) * dpi / 72 - 1) < SIZED


def is_signed(ink: float) -> bool:
    """Tell ink enough for a signature; never for a zone that was cut off (nan)."""
    return bool(ink > SIGNED)


def _is_seen(picture: Picture, matrix: Matrix, box: Box) -> bool:
    """Tell whether a picture holds a zone, from points spread over the zone."""
    left, bottom, width, height = box
    shares, inverse = np.linspace(0, 1, 11), matrix.inverse()
    points = [inverse.point(left + i * width, bottom + j * height) for i in shares for j in shares]
    inside = [0 <= x <= picture.width and 0 <= y <= picture.height for x, y in points]
    return sum(inside) >= SEEN * len(inside)


def _look(picture: Picture, matrix: Matrix, box: Box, printed: Printed, *, is_far: bool) -> _Look:
    """Bring a zone and its print to one grid, and find the print on the scan."""
    margin, leans = (FAR, LEANS) if is_far else (NEAR, LEANS[:1])
    dpi = 72 / np.hypot(matrix.a, matrix.b)
    by = next((by for by in (4, 2) if dpi / by >= ENOUGH), 1)
    scan = _sampled(picture.grey(by), matrix.inverse(), box, margin, by)
    return _found(scan, _told(_Kept(printed.picture), printed.dpi, box, margin), margin, leans)


@lru_cache(maxsize=64)
def _told(printed: _Kept, dpi: float, box: Box, margin: int) -> Mask:
    """Give the print of a zone, once for all the documents of a form."""
    scale = dpi / 72
    flipped = Matrix(scale, 0, 0, -scale, 0, printed.pixels.shape[0])
    return _dark(_sampled(printed.pixels, flipped, box, margin, 1))


def _sampled(grey: Grey, to_pixels: Matrix, box: Box, margin: int, by: int) -> Grey:
    left, bottom, width, height = box
    columns, rows = (ceil(length * POINT) + 2 * margin * GRID for length in (width, height))
    step, around = 1 / (POINT * FINER), margin * GRID / POINT
    a, b, c, d, _, _ = to_pixels
    x, y = to_pixels.point(left - around, bottom + height + around)
    # From the pixels of the grid, downwards, to those of the picture.
    places = (a * step / by, -c * step / by, x / by, b * step / by, -d * step / by, y / by)
    size = (columns * FINER, rows * FINER)
    image = Image.fromarray(grey).transform(
        size, Image.Transform.AFFINE, places, Image.Resampling.BILINEAR, fillcolor=255
    )
    return np.asarray(image.reduce(FINER))


def _ink(look: _Look) -> float:
    """Measure, in mm2, the ink inside a zone that its print does not explain."""
    explained = _explained(look.dark, look.told)
    inside = np.zeros_like(look.dark)
    edge, (down, across) = (look.margin + INSET) * GRID, look.shift
    rows = slice(edge + down, look.dark.shape[0] - edge + down)
    columns = slice(edge + across, look.dark.shape[1] - edge + across)
    inside[rows, columns] = True
    return of_a_hand(look.dark & ~explained, inside, GRID) / GRID**2


def _found(scan: Grey, told: Mask, margin: int, leans: tuple[float, ...]) -> _Look:
    """Find the print of a zone on its scan, upright or leaning by one of these slopes."""
    dark = _dark(scan)
    near, reach = grown(dark, 3), (margin - 1) * GRID
    looks = []
    for slope in leans:
        leaning = _leaning(told, slope)
        shift = _shift(grown(leaning, 2), dark, reach)
        moved = np.roll(leaning, shift, (0, 1))
        share = float(near[moved].mean()) if moved.any() else 1.0
        looks.append(_Look(dark, moved, shift, share, margin))
    return max(looks, key=lambda each: each.share)


def _leaning(mask: Mask, slope: float) -> Mask:
    """Let rows fall by a slope towards the right, about the middle."""
    if not slope:
        return mask
    rows, columns = np.indices(mask.shape)
    fall = np.rint((columns - mask.shape[1] / 2) * slope).astype(int)
    leaning: Mask = mask[(rows - fall).clip(0, mask.shape[0] - 1), columns]
    return leaning


def _dark(grey: Grey) -> Mask:
    """Tell ink from paper, whose level is what most of each place has around it."""
    rows, columns = (length // CELL for length in grey.shape)
    cells = grey[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL)
    light = CELL * CELL * 3 // 4
    paper = np.partition(cells.swapaxes(1, 2).reshape(rows, columns, -1), light, axis=2)[..., light]
    around = Image.fromarray(paper).filter(ImageFilter.MaxFilter(3))
    smooth = around.filter(ImageFilter.MedianFilter(5))
    level = np.asarray(smooth.resize(grey.shape[::-1], Image.Resampling.BILINEAR), np.int16)
    fall = level - grey
    noise = 1.5 * float(np.percentile(np.abs(fall - np.median(fall)), 50))
    contrast = float(np.median(level) - np.percentile(grey, 0.5))
    return fall > max(FAINT * contrast, 4 * noise, 12)


def _shift(told: Mask, dark: Mask, reach: int) -> tuple[int, int]:
    """Find by how many pixels, down and across, a print lies best on what is dark."""
    size = tuple(ceil(length / SMOOTH) * SMOOTH for length in dark.shape)
    print_, scan = (np.fft.rfft2(each.astype(np.float32), size) for each in (told, dark))
    steps = np.arange(-reach, reach + 1)
    found = np.fft.irfft2(np.conj(print_) * scan, size)[np.ix_(steps, steps)]
    # Of two places as good, the nearer.
    found = found - 0.1 * found.max() * np.hypot(steps[:, None], steps) / reach
    row, column = np.unravel_index(found.argmax(), found.shape)
    return int(steps[row]), int(steps[column])


def _explained(dark: Mask, told: Mask) -> Mask:
    """Tell where the print lies, tile by tile: paper bends, and photographs lean."""
    explained = np.zeros_like(dark)
    wide = grown(told, 2)
    for top in range(0, dark.shape[0], TILE):
        for left in range(0, dark.shape[1], TILE):
            tile = np.s_[top : top + TILE, left : left + TILE]
            if not told[tile].any():
                continue
            low, first = max(top - STRAY, 0), max(left - STRAY, 0)
            near = np.s_[low : top + TILE + STRAY, first : left + TILE + STRAY]
            alone = np.zeros_like(wide[near])
            here = np.s_[top - low : top - low + TILE, left - first : left - first + TILE]
            alone[here] = wide[tile]
            shift = _shift(alone, dark[near], STRAY)
            alone[here] = told[tile]
            explained[near] |= grown(np.roll(alone, shift, (0, 1)), EXPLAINED)
    return explained
