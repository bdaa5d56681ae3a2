"""Looking for codes in pictures: where they may stand, and what helps a reader to see them.

A step takes a crop of grey levels and gives the picture to decode, with the decoder's own way of
telling dark from light. Steps come in the order of what they cost for what they bring.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
import zxingcpp
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from docgen.scanning import symbol

Grey: TypeAlias = NDArray[np.uint8]
CORNER = 44.0  # mm from both edges: a code of 18 mm, 12 mm from them, on a sheet 4 degrees askew
CODE = 18.0  # mm
AROUND = 34.0  # mm: what is looked at around a dark square
CELL = 1.5  # mm: squares are looked for in cells of this size, two modules
BUSY = 0.3  # of the levels of a picture: how far apart the extremes of cells are, on average
LEAST = 30.0  # levels: less is noise
SQUARES = 4  # a side has three codes at most, and they are its busiest places

_QR = zxingcpp.barcode_formats_from_str(
    "QRCodeModel2"
)  # "QRCode" also finds phantoms of other kinds
_LOCAL = zxingcpp.Binarizer.LocalAverage
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
    if min(pixels.shape) < symbol.MODULES:
        return []
    return zxingcpp.read_barcodes(
        pixels,
        formats=_QR,
        try_rotate=False,  # a symbol has no direction: rows alone find it at any angle
        try_downscale=False,
        try_invert=False,
        binarizer=binarizer,
    )


def corners(grey: Grey, scale: float, dpi: float) -> list[Window]:
    """Give the four corners of a picture; codes stand in two or three of them.

    `scale` is in stored pixels for one of the picture's, `dpi` that of the picture.
    """
    height, width = grey.shape
    size = round(CORNER / 25.4 * dpi)
    across, down = min(size, width // 2), min(size, height // 2)
    found = []
    for y in (0, height - down):
        for x in (width - across, 0):
            part = grey[y : y + down, x : x + across]
            found.append(Window(part, x * scale, y * scale, scale))
    return found


def busy_squares(grey: Grey, dpi: float, count: int) -> list[tuple[float, float]]:
    """Give the middles of squares of a code's size where dark and light alternate the most."""
    cell = max(2, round(CELL / 25.4 * dpi))
    wide = max(3, round(CODE / 25.4 * dpi / cell))
    rows, columns = grey.shape[0] // cell, grey.shape[1] // cell
    if min(rows, columns) <= wide:
        return []
    blocks = grey[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell)
    contrast = (blocks.max(axis=(1, 3)) - blocks.min(axis=(1, 3))).astype(np.float32)
    sums = np.pad(contrast, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    box = sums[wide:, wide:] - sums[:-wide, wide:] - sums[wide:, :-wide] + sums[:-wide, :-wide]
    box = box / wide**2
    black, paper = np.percentile(grey[::5, ::5], (0.5, 80))
    least = max(BUSY * float(paper - black), LEAST)
    found = []
    for _ in range(count):
        y, x = divmod(int(box.argmax()), box.shape[1])
        if box[y, x] < least:
            break
        found.append(((x + wide / 2) * cell, (y + wide / 2) * cell))
        box[max(0, y - wide) : y + wide, max(0, x - wide) : x + wide] = 0
    return found


def around(grey: Grey, middle: tuple[float, float], scale: float, dpi: float) -> Window:
    """Cut what stands around a point of the picture."""
    half = round(AROUND / 2 / 25.4 * dpi)
    x, y = max(0, round(middle[0]) - half), max(0, round(middle[1]) - half)
    return Window(grey[y : y + 2 * half, x : x + 2 * half], x * scale, y * scale, scale)


def _same(grey: Grey) -> Grey:
    return grey


def _toner(grey: Grey) -> Grey:
    """Keep what is as dark as toner: stamp ink and shadows are lighter, and go."""
    black, paper = np.percentile(grey, (2, 90))
    return np.where(grey <= black + (paper - black) * 0.25, 0, 255).astype(np.uint8)


def _doubled(grey: Grey) -> Grey:
    size = grey.shape[1] * 2, grey.shape[0] * 2
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC))


def _adaptive(grey: Grey) -> Grey:
    """Compare each pixel with the mean of what is around it."""
    mean = Image.fromarray(grey).filter(ImageFilter.BoxBlur(max(4, grey.shape[0] // 12)))
    return np.where(grey.astype(np.int16) < np.asarray(mean).astype(np.int16) - 8, 0, 255).astype(
        np.uint8
    )


STEPS = (
    Step("full", _same),
    Step("toner", _toner, _FIXED),
    Step("double", _doubled, _LOCAL, 2),
    Step("adaptive", _adaptive, _FIXED),
)
TONER = STEPS[1:2]  # cheap enough to be tried on a second code when the first is read


def looks(
    window: Window, steps: tuple[Step, ...]
) -> Iterator[tuple[str, Window, list[zxingcpp.Barcode]]]:
    """Look at a crop in each way: the step's name, the window decoded, the symbols seen."""
    for step in steps:
        made = window._replace(pixels=step.make(window.pixels), scale=window.scale / step.zoom)
        yield step.name, made, decode(made.pixels, step.binarizer)
