"""Telling a blank back from a side that somebody wrote on.

Pixels are averaged to 50 dpi and count when they are dark and have dark neighbours: noise, and
print that shines through, leave nothing, and one short line by hand keeps most of its ink.
When in doubt a side is not blank: nobody reads what is thought to be empty.
"""

from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

Grey: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.bool_]
BLANK = 0.00015  # share of dark pixels; measured: blanks 0 to 0.00003, a line of 25 mm 0.0003
DARKER = 40  # levels under the paper: print that shines through is lighter
MARGIN = 5.0  # mm from the edges: shadows and borders of scanners
BAND = 22.0  # mm from the edges: where holes are punched and a feeder's black border reaches
SOLID = 4.0  # mm: no pen makes a black disc of this size
PAPER = 90  # grey level: what is darker than this is no paper, and not blank
LEAST = 50.0  # dpi at which pixels are counted


def ink(grey: Grey, dpi: float) -> float:
    """Give the share of dark pixels on a side, but for its margins, holes and borders."""
    reduce = max(1, round(dpi / LEAST))
    small = np.asarray(Image.fromarray(grey).reduce(reduce))
    dpi = dpi / reduce
    level = float(np.median(small))
    if level < PAPER:
        return 1.0
    if small.min() >= level - DARKER:
        return 0.0
    margin = min(round(MARGIN / 25.4 * dpi), min(small.shape) // 4)
    paper = _paper(small, max(8, round(dpi / 25.4 * 16)), level)
    dark: Mask = np.less(small, paper - DARKER)
    written = _joined(dark & ~_solid(dark, dpi))
    height, width = written.shape
    inside = written[margin : height - margin, margin : width - margin]
    return float(inside.mean())


def is_blank(share: float) -> bool:
    """Tell from its share of ink that a side has nothing on it."""
    return share < BLANK


def _joined(dark: Mask) -> Mask:
    """Keep what is of a stroke: dark pixels with two dark neighbours or more."""
    padded = np.pad(dark, 1).astype(np.uint8)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    near: Mask = np.greater_equal(rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:], 3)
    return near & dark


def _paper(small: Grey, block: int, level: float) -> NDArray[np.float32]:
    """Give the level of the paper everywhere: the median of large blocks, near the page's own."""
    height, width = small.shape
    rows, columns = -(-height // block), -(-width // block)
    padded = np.pad(small, ((0, rows * block - height), (0, columns * block - width)), mode="edge")
    blocks = padded.reshape(rows, block, columns, block).swapaxes(1, 2).reshape(rows, columns, -1)
    medians = np.maximum(np.median(blocks, axis=2), level - DARKER).astype(np.float32)
    spread: NDArray[np.float32] = medians.repeat(block, axis=0).repeat(block, axis=1)
    return spread[:height, :width]


def _solid(dark: Mask, dpi: float) -> Mask:
    """Find what is black through and through near the edges: punched holes, borders."""
    size = max(3, round(SOLID / 25.4 * dpi))
    band = round(BAND / 25.4 * dpi)
    if min(dark.shape) <= 2 * band + size:
        return np.zeros_like(dark)
    sums = np.pad(dark, ((1, 0), (1, 0))).cumsum(axis=0, dtype=np.int32).cumsum(axis=1)
    box = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    full: Mask = np.greater_equal(box, 0.97 * size**2)
    inner = slice(band, -band - size)
    full[inner, inner] = False
    if not full.any():
        return np.zeros_like(dark)
    reach = size + 4  # the block itself, and its soft edge
    padded = np.pad(full, ((reach - 2, reach - 2), (reach - 2, reach - 2)))
    wide = sliding_window_view(padded, reach, axis=0).max(axis=-1)
    grown: Mask = sliding_window_view(wide, reach, axis=1).max(axis=-1)
    top, left = (grown.shape[0] - dark.shape[0]) // 2, (grown.shape[1] - dark.shape[1]) // 2
    return grown[top : top + dark.shape[0], left : left + dark.shape[1]]
