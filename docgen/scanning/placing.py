"""How the image of a scan is laid on its side of paper: turned and straightened, never resampled.

What is drawn is the scan's own image; the matrix of the page alone undoes rotation and skew.
"""

import math
from typing import NamedTuple

from docgen.scanning.findings import Matrix

MOST_SKEW = (
    8.0  # degrees: a feeder lets no sheet through more askew; codes said otherwise are wrong
)
SCALES = (0.25, 4.0)  # a pixel's size against that of an image that just fills the side
MOST_STRETCH = 2.2  # a fax has pixels twice as high as wide (ITU-T T.4, standard resolution)


class Size(NamedTuple):
    """A width and a height."""

    width: float
    height: float


def believable(matrix: Matrix, pixels: Size, paper: Size) -> bool:
    """Say if an image can lie so on its paper: hardly askew, about as large, not in a mirror."""
    a, b, c, d, _, _ = matrix
    if not all(map(math.isfinite, matrix)) or a * d - b * c >= 0:  # y of pixels goes down
        return False
    across, down = math.hypot(a, b), math.hypot(c, d)
    askew = max(_off_quarter(math.atan2(b, a)), _off_quarter(math.atan2(d, c)))
    filling = math.sqrt(paper.width * paper.height / (pixels.width * pixels.height))
    sizes = (across / filling, down / filling)
    if askew > MOST_SKEW or max(sizes) > MOST_STRETCH * min(sizes):
        return False
    x, y = matrix.point(pixels.width / 2, pixels.height / 2)
    inside = 0 <= x <= paper.width and 0 <= y <= paper.height
    return inside and all(SCALES[0] <= size <= SCALES[1] for size in sizes)


def fitted(pixels: Size, natural: Size, turned: int, paper: Size) -> Matrix:
    """Turn an image by quarters, clockwise, and lay it as large as it can be in the middle.

    `natural` is the size that its resolution gives it: pixels need not be square.
    """
    upright = natural if turned % 180 == 0 else Size(natural.height, natural.width)
    scale = min(paper.width / upright.width, paper.height / upright.height)
    across = scale * natural.width / pixels.width
    down = scale * natural.height / pixels.height
    turns = {0: (1, 0), 90: (0, -1), 180: (-1, 0), 270: (0, 1)}
    cosine, sine = turns[turned % 360]
    a, b, c, d = across * cosine, across * sine, down * sine, -down * cosine
    e = (paper.width - a * pixels.width - c * pixels.height) / 2
    f = (paper.height - b * pixels.width - d * pixels.height) / 2
    return Matrix(a, b, c, d, e, f)


def drawing(matrix: Matrix, pixels: Size) -> Matrix:
    """Give the matrix that draws an image: from its unit square, y upwards (ISO 32000-2, 8.9.5)."""
    a, b, c, d, e, f = matrix
    width, height = pixels
    return Matrix(a * width, b * width, -c * height, -d * height, e + c * height, f + d * height)


def _off_quarter(angle: float) -> float:
    """Give the degrees between an angle, in radians, and the nearest quarter turn."""
    return abs((math.degrees(angle) + 45) % 90 - 45)
