"""Looking for codes in pictures: where they may stand, and what helps a reader to see them.

A step takes a crop of grey levels and gives the picture to decode, with the decoder's own way of
telling dark from light. Steps come in the order of what they cost for what they bring.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
import zxingcpp
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Grey: TypeAlias = NDArray[np.uint8]
CORNER = 44.0  # mm from both edges: a code of 18 mm, 12 mm from them, on a sheet 4 degrees askew
CODE = 18.0  # mm
AROUND = 34.0  # mm: what is looked at around a dark square
CELL = 1.5  # mm: dark squares are looked for in cells of this size
DARK = (0.24, 0.93)  # share of ink in a code, drowned in a stamp at most; text stays under 0.2
SQUARES = 4  # a side has three codes at most

_QR = zxingcpp.barcode_formats_from_str(
    "QRCodeModel2"
)  # "QRCode" also finds phantoms of other kinds
_LOCAL = zxingcpp.Binarizer.LocalAverage
_GLOBAL = zxingcpp.Binarizer.GlobalHistogram
_FIXED = zxingcpp.Binarizer.FixedThreshold


class Window(NamedTuple):
    """A part of a picture: `scale` stored pixels for one of its own, from stored (x, y)."""

    pixels: Grey
    x: float
    y: float
    scale: float

    def quad(self, points: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
        """Give points of this window in pixels of the stored image."""
        return tuple((self.x + px * self.scale, self.y + py * self.scale) for px, py in points)


class Step(NamedTuple):
    """A way of looking: its name, what it makes of a crop, and how dark is told from light."""

    name: str
    make: Callable[[Grey], Grey]
    binarizer: zxingcpp.Binarizer = _LOCAL
    zoom: int = 1


def decode(pixels: Grey, binarizer: zxingcpp.Binarizer = _LOCAL) -> list[zxingcpp.Barcode]:
    """Give the QR symbols (model 2) that the decoder sees in grey levels."""
    return zxingcpp.read_barcodes(
        pixels,
        formats=_QR,
        try_rotate=False,  # a symbol has no direction: rows alone find it at any angle
        try_downscale=False,
        try_invert=False,
        binarizer=binarizer,
    )


def corners(grey: Grey, scale: float, dpi: float) -> Iterator[Window]:
    """Give the four corners of a picture; codes stand in two or three of them.

    `scale` is in stored pixels for one of the picture's, `dpi` that of the picture.
    """
    height, width = grey.shape
    size = round(CORNER / 25.4 * dpi)
    across, down = min(size, width // 2), min(size, height // 2)
    for y in (0, height - down):
        for x in (width - across, 0):
            yield Window(grey[y : y + down, x : x + across], x * scale, y * scale, scale)


def dark_squares(grey: Grey, dpi: float) -> list[tuple[float, float]]:
    """Give the middles of squares as dark and as large as a code, the most likely ones first."""
    cell = max(1, round(CELL / 25.4 * dpi))
    rows, columns = grey.shape[0] // cell, grey.shape[1] // cell
    wide = max(3, round(CODE * 0.85 / 25.4 * dpi / cell))
    if min(rows, columns) <= wide:
        return []
    cells = _means(grey, cell)
    share = _ink_share(cells)
    sums = np.pad(share, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    box = sums[wide:, wide:] - sums[:-wide, wide:] - sums[wide:, :-wide] + sums[:-wide, :-wide]
    box = box / wide**2
    score = np.where((box > DARK[0]) & (box < DARK[1]), 1 - abs(box - 0.5), 0.0)
    found = []
    for _ in range(SQUARES):
        y, x = divmod(int(score.argmax()), score.shape[1])
        if score[y, x] <= 0:
            break
        found.append(((x + wide / 2) * cell, (y + wide / 2) * cell))
        score[max(0, y - wide) : y + wide, max(0, x - wide) : x + wide] = 0
    return found


def _means(grey: Grey, cell: int) -> NDArray[np.float32]:
    rows, columns = grey.shape[0] // cell, grey.shape[1] // cell
    whole = grey[: rows * cell, : columns * cell]
    by_rows = np.add.reduceat(whole, np.arange(0, rows * cell, cell), axis=0, dtype=np.uint16)
    sums = np.add.reduceat(by_rows, np.arange(0, columns * cell, cell), axis=1, dtype=np.uint32)
    means: NDArray[np.float32] = (sums / cell**2).astype(np.float32)
    return means


def _ink_share(cells: NDArray[np.float32], reach: int = 12) -> NDArray[np.float32]:
    """Compare each cell with the paper around it: 0 is paper, 1 is black."""
    padded = np.pad(cells, reach, mode="edge")
    rows = sliding_window_view(padded, 2 * reach + 1, axis=0).max(axis=-1)
    paper = sliding_window_view(rows, 2 * reach + 1, axis=1).max(axis=-1)
    black = min(float(np.percentile(cells, 0.5)), 60.0)
    share: NDArray[np.float32] = (paper - cells) / np.maximum(paper - black, 60.0)
    return share.clip(0.0, 1.0)


def around(grey: Grey, middle: tuple[float, float], scale: float, dpi: float) -> Window:
    """Cut what stands around a point of the picture."""
    half = round(AROUND / 2 / 25.4 * dpi)
    x, y = max(0, round(middle[0]) - half), max(0, round(middle[1]) - half)
    return Window(grey[y : y + 2 * half, x : x + 2 * half], x * scale, y * scale, scale)


def _same(grey: Grey) -> Grey:
    return grey


def _toner(fraction: float) -> Callable[[Grey], Grey]:
    """Keep what is as dark as toner: stamp ink and shadows are lighter, and go."""

    def make(grey: Grey) -> Grey:
        black, paper = np.percentile(grey, (2, 90))
        level = black + (paper - black) * fraction
        return np.where(grey <= level, 0, 255).astype(np.uint8)

    return make


def _resized(grey: Grey, factor: float) -> Grey:
    size = round(grey.shape[1] * factor), round(grey.shape[0] * factor)
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC))


def _filtered(*filters: ImageFilter.Filter) -> Callable[[Grey], Grey]:
    def make(grey: Grey) -> Grey:
        image = Image.fromarray(grey)
        for each in filters:
            image = image.filter(each)
        return np.asarray(image)

    return make


def _adaptive(grey: Grey) -> Grey:
    """Compare each pixel with the mean of what is around it."""
    mean = Image.fromarray(grey).filter(ImageFilter.BoxBlur(max(4, grey.shape[0] // 12)))
    return np.where(grey.astype(np.int16) < np.asarray(mean).astype(np.int16) - 8, 0, 255).astype(
        np.uint8
    )


_CLOSING = (ImageFilter.MinFilter(3), ImageFilter.MaxFilter(3))
_OPENING = (ImageFilter.MaxFilter(3), ImageFilter.MinFilter(3))
STEPS = (
    Step("full", _same),
    Step("toner", _toner(0.25), _FIXED),
    Step("toner-high", _toner(0.4), _FIXED),
    Step("global", _same, _GLOBAL),
    Step("double", lambda grey: _resized(grey, 2.0), _LOCAL, 2),
    Step("blur", _filtered(ImageFilter.GaussianBlur(1.2)), _GLOBAL),
    Step("blur-more", _filtered(ImageFilter.GaussianBlur(2.2)), _GLOBAL),
    Step("opening", _filtered(*_OPENING), _GLOBAL),
    Step("closing", _filtered(*_CLOSING), _GLOBAL),
    Step("adaptive", _adaptive, _FIXED),
)
CHEAP = STEPS[1:4]  # good enough to try on a second code when the first is read


def looks(
    window: Window, steps: tuple[Step, ...]
) -> Iterator[tuple[str, Window, list[zxingcpp.Barcode]]]:
    """Look at a crop in each way: the step's name, the window decoded, the symbols seen."""
    for step in steps:
        made = window._replace(pixels=step.make(window.pixels), scale=window.scale / step.zoom)
        yield step.name, made, decode(made.pixels, step.binarizer)
