"""Where a side lies in its image, from the codes that were read on it.

Codes stand at known places (docs/decisions/0004): 18 mm wide, 12 mm from the edges of an A4 side.
Their corners in pixels give the quarter turns, the skew, and the matrix from pixels to points.
"""

from collections.abc import Sequence
from math import atan2, degrees, hypot
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from docgen.scanning.findings import Matrix, Seen

MM = 72 / 25.4
A4 = (210 * MM, 297 * MM)
CODE_SIZE = 18 * MM
CODE_MARGIN = 12 * MM
SANE = 0.04  # a code that measures as the file's dpi say, within so much, confirms them
BETTER = 0.5  # two scales are believed when they halve what one scale leaves
ASTRAY = 8 * MM  # further from its place than paper bends and telephones lean
Floats: TypeAlias = NDArray[np.float64]
Quad: TypeAlias = Sequence[tuple[float, float]]


class Lie(NamedTuple):
    """How a side lies in its image.

    `rotation` is by how many degrees, clockwise, the image is to be turned for the side to stand
    upright: quarter turns; `skew` is what then remains to be turned, clockwise too. `error` is how
    far the codes stand from where they should, in points.
    `size` is that of the side, in points.
    """

    matrix: Matrix
    rotation: int
    skew: float
    error: float
    size: tuple[float, float]

    @property
    def astray(self) -> bool:
        """Tell that the codes contradict one another on where the side lies."""
        return self.error > ASTRAY


def code_box(corner: int, size: tuple[float, float]) -> Floats:
    """Give the corners of a code's symbol on a side: top left, top right, bottom right, left."""
    left = CODE_MARGIN if corner else size[0] - CODE_MARGIN - CODE_SIZE
    bottom = CODE_MARGIN if corner == 1 else size[1] - CODE_MARGIN - CODE_SIZE
    right, top = left + CODE_SIZE, bottom + CODE_SIZE
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def quarter_turns(quad: Quad) -> int:
    """Give the quarter turns, clockwise, after which the symbol stands upright."""
    return round(-_tilt(quad) / 90) % 4


def lie(codes: Sequence[Seen], width: int, height: int, dpi: float, *, fine: bool = False) -> Lie:
    """Say how the side lies, from one code or more.

    With one code, the scale is held to the dpi when the code confirms them; with more, measured
    finely, an image stretched along one side is recognised when that explains much better.
    """
    turns = quarter_turns(codes[0].quad)
    upright = (width, height) if turns % 2 == 0 else (height, width)
    sizes = [A4, A4[::-1]]
    if upright[0] > upright[1]:
        sizes.reverse()
    pixels = np.array([point for code in codes for point in code.quad], np.float64)
    scale = 72 / dpi if dpi > 0 and len(codes) == 1 else 0.0
    tried = [
        _fitted(
            pixels, np.concatenate([code_box(code.corner, size) for code in codes]), scale, fine
        )
        for size in (sizes if len(codes) > 1 else sizes[:1])
    ]
    best = min(range(len(tried)), key=lambda index: tried[index][1])
    matrix, error = tried[best]
    tilt = degrees(atan2(matrix.b, matrix.a))  # of the side in its image, clockwise
    return Lie(matrix, turns * 90, (180 - tilt - turns * 90) % 360 - 180, error, sizes[best])


def fits(corner: int, quad: Quad, width: int, height: int) -> bool:
    """Tell whether a code stands in the quarter of the image where its corner should be."""
    x = sum(point[0] for point in quad) / 4 / width - 0.5
    y = sum(point[1] for point in quad) / 4 / height - 0.5
    for _ in range(quarter_turns(quad)):
        x, y = -y, x
    right, top = corner == 0, corner != 1
    return (x > 0) == right and (y < 0) == top


def moved(matrix: Matrix, places: Floats) -> Floats:
    """Give many points at once, by their rows of x and y."""
    a, b, c, d, e, f = matrix
    given: Floats = places @ np.array([(a, b), (c, d)]) + (e, f)
    return given


def span(quad: Quad) -> float:
    """Give the mean side of a quadrilateral, in its own unit."""
    return sum(hypot(bx - ax, by - ay) for (ax, ay), (bx, by) in _edges(quad)) / 4


def _edges(quad: Quad) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    return list(zip(quad, [*quad[1:], quad[0]], strict=True))


def _tilt(quad: Quad) -> float:
    """Give the angle of a symbol in its image, in degrees clockwise."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad
    return degrees(atan2(by - ay + cy - dy, bx - ax + cx - dx))


def _fitted(pixels: Floats, points: Floats, scale: float, fine: bool) -> tuple[Matrix, float]:
    matrix = _similar(pixels, points, scale)
    error = _error(matrix, pixels, points)
    if len(pixels) > 4 and fine:
        stretched = _stretched(matrix, pixels, points)
        better = _error(stretched, pixels, points)
        if better < error * BETTER:
            return stretched, better
    return matrix, error


def _similar(pixels: Floats, points: Floats, scale: float) -> Matrix:
    """Fit a turn, one scale and a shift by least squares: in the complex plane, w = k z + m."""
    image = pixels[:, 0] - 1j * pixels[:, 1]
    paper = points[:, 0] + 1j * points[:, 1]
    middle, centre = image.mean(), paper.mean()
    spread = image - middle
    factor = complex(np.vdot(spread, paper - centre) / np.vdot(spread, spread).real)
    if scale and abs(abs(factor) / scale - 1) < SANE:
        factor *= scale / abs(factor)
    shift = complex(centre - factor * middle)
    return Matrix(factor.real, factor.imag, factor.imag, -factor.real, shift.real, shift.imag)


def _stretched(start: Matrix, pixels: Floats, points: Floats) -> Matrix:
    """Fit a turn, a scale along each side of the image and a shift, from a first matrix."""
    angle, across, down = atan2(start.b, start.a), hypot(start.a, start.b), hypot(start.c, start.d)
    centre, middle = points.mean(axis=0), pixels.mean(axis=0)
    x, y = (pixels - middle).T
    wanted = (points - centre).T.ravel()
    for _ in range(4):
        cos, sin = np.cos(angle), np.sin(angle)
        given = np.concatenate(
            (across * cos * x + down * sin * y, across * sin * x - down * cos * y)
        )
        turn = np.concatenate(
            (-across * sin * x + down * cos * y, across * cos * x + down * sin * y)
        )
        slopes = np.stack((turn, np.r_[cos * x, sin * x], np.r_[sin * y, -cos * y]), axis=1)
        step = np.linalg.lstsq(slopes, wanted - given)[0]
        angle, across, down = angle + step[0], across + step[1], down + step[2]
    cos, sin = np.cos(angle), np.sin(angle)
    a, b, c, d = map(float, (across * cos, across * sin, down * sin, -down * cos))
    e, f = centre - (a * middle[0] + c * middle[1], b * middle[0] + d * middle[1])
    return Matrix(a, b, c, d, float(e), float(f))


def _error(matrix: Matrix, pixels: Floats, points: Floats) -> float:
    """Give the root mean square of the distances left, in points."""
    away = moved(matrix, pixels) - points
    return float(np.sqrt((away**2).sum(axis=1).mean()))
