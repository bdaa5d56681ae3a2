"""The last look at a code too damaged for a decoder: find it by what never changes, and ask less.

The function patterns of our symbols are known, so their place is found by correlation even when
finders are gone; each module is then measured whole, and modules half covered count as doubtful.
Reed-Solomon corrects twice as many doubtful words as wrong ones.

Every text found goes to `pagecode.parse`. A side has at most 3 places x 6 ways of telling dark from
light x 3 of doubting x 5 = 270 tries; if each satisfied the check words by chance, one side in
2.7e14 would pass a tag of 56 bits.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from docgen.scanning import encoding, symbol
from docgen.scanning.cascade import Grey, Window
from docgen.scanning.symbol import MODULES

MODULE = 18 / MODULES  # mm
FINE = 2  # pixels a module when a symbol is looked for
FIELD = 128  # pixels of the square looked at: 46 mm, for Fourier's sake a power of 2
TILTS = (0.0, 1.5, -1.5, 3.0, -3.0, 4.5, -4.5)  # degrees: 1.5 moves a symbol's edge by 0.3 module
SCANNED = (1.0,)  # sizes tried, against 18 mm: a scanner's dpi are right
PHOTOGRAPHED = (0.76, 0.82, 0.88, 0.94, 1.0)  # paper does not fill a photograph
REACHES = (0.8, 0.4, 0.2, 0.1)  # modules by which corners are moved
FINER = (0.2, 0.1, 0.05)
PLACES = 2  # places looked at in a window
MOST = 3  # and on a side
PRESENT = 0.45  # of 1: texts and drawings stay under 0.39, measured
CERTAIN = 0.6  # of 1, once corners are settled: anywhere in a picture
RING = 2  # modules of quiet zone that are compared too
SPOTS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])  # where a module is measured, across and down
Floats: TypeAlias = NDArray[np.float64]


class Place(NamedTuple):
    """Where a symbol stands in a window: its corners in pixels, and how sure that is, up to 1."""

    quad: Floats
    score: float


def find(
    window: Window, dpi: float, scales: tuple[float, ...] = SCANNED, least: float = PRESENT
) -> list[Place]:
    """Find where symbols may stand in a window, the likeliest place first.

    `dpi` is that of the window; `scales` are sizes to try, against 18 mm. Every way up has places
    of its own, sure by more than `least`.
    """
    found = []
    dark = _darkness(window.pixels)
    for scale in scales:
        zoom = FINE / (MODULE * scale / 25.4 * dpi)
        for tilt in TILTS:
            found += _correlated(dark, zoom, tilt)
    return sorted((each for each in found if each.score > least), key=lambda each: -each.score)


def apart(found: Iterable[Place], count: int = PLACES) -> list[Place]:
    """Keep the likeliest places that are not one, found twice."""
    chosen: list[Place] = []
    for place in found:
        if len(chosen) < count and not any(_near(place, other) for other in chosen):
            chosen.append(place)
    return chosen


def settle(window: Window, place: Place, reaches: tuple[float, ...] = REACHES) -> Place:
    """Move the corners of a place until its known modules fit best: by less and less of one."""
    dark = _darkness(window.pixels)
    quad, moves = place.quad, _moves()
    best = float(_scores(dark, quad[None])[0])
    side = float(np.hypot(*(quad[1] - quad[0]))) / MODULES
    for reach in reaches:
        for _ in range(3):
            trials = quad + moves * side * reach
            scores = _scores(dark, trials)
            top = int(np.argmax(scores))
            if scores[top] <= best:
                break
            quad, best = trials[top], float(scores[top])
    return Place(quad, best)


def texts(window: Window, place: Place) -> Iterator[tuple[str, bool]]:
    """Give what a symbol may say, and whether it can hardly be chance."""
    for dark in judged(levels_of(window.pixels, place.quad)):
        yield from symbol.texts(dark[RING:-RING, RING:-RING], _risks(dark))


def is_mirrored(grey: Grey, quad: Sequence[tuple[float, float]], text: str) -> bool:
    """Tell that a symbol of ours is seen from behind: decoders read it all the same.

    They give its corners as if it were not; its modules then lie across the diagonal.
    """
    if not encoding.can_be_ours(text):
        return False
    drawn = encoding.modules(encoding.words(encoding.payload(text))[0])
    middles = np.stack(np.meshgrid(*[np.arange(MODULES) + 0.5] * 2), axis=-1).reshape(-1, 2)
    corners = np.array(quad, np.float64)[None]
    levels = _sampled(grey, projected(corners, middles)).reshape(MODULES, MODULES)
    return bool(levels[drawn & ~drawn.T].sum() > levels[drawn.T & ~drawn].sum())


def _darkness(grey: Grey) -> Floats:
    """Bring levels to -1 (paper) … 1 (toner)."""
    black, paper = np.percentile(grey, (3, 85))
    middle, half = black + (paper - black) * 0.45, max(float(paper) - float(black), 24.0) * 0.3
    dark: Floats = np.clip((middle - grey) / half, -1.0, 1.0)
    return dark


@cache
def _template() -> NDArray[np.complex128]:
    """Give the known modules and their quiet zone, each way up, as Fourier sees them."""
    known = np.pad(symbol.patterns(), RING, constant_values=-0.6)
    fine = np.kron(known / abs(known).sum(), np.ones((FINE, FINE))) / FINE**2
    fields = np.zeros((4, FIELD, FIELD))
    for turns in range(4):
        fields[turns, : len(fine), : len(fine)] = np.rot90(fine, -turns)
    seen: NDArray[np.complex128] = np.conj(np.fft.rfft2(fields))
    return seen


def _correlated(dark: Floats, zoom: float, tilt: float) -> list[Place]:
    """Compare a window, turned back by a tilt, with the known modules at every place."""
    height, width = dark.shape
    angle = np.radians(tilt)
    c, s = np.cos(angle) / zoom, np.sin(angle) / zoom
    x0, y0 = width / 2 - (c - s) * FIELD / 2, height / 2 - (s + c) * FIELD / 2
    image = Image.fromarray(dark.astype(np.float32))
    method, how = Image.Transform.AFFINE, Image.Resampling.BILINEAR
    if zoom < 0.5:
        by = round(0.5 / zoom) or 1
        image = image.reduce(by)
        matrix = tuple(value / by for value in (c, -s, x0, s, c, y0))
    else:
        matrix = (c, -s, x0, s, c, y0)
    field = np.asarray(image.transform((FIELD, FIELD), method, matrix, how, fillcolor=-1.0))
    scores = np.fft.irfft2(np.fft.rfft2(field) * _template(), (FIELD, FIELD))
    size = (MODULES + 2 * RING) * FINE
    scores = scores[:, : FIELD - size, : FIELD - size]
    found = []
    for turns in range(4):
        y, x = divmod(int(scores[turns].argmax()), scores.shape[2])
        left, top = x + RING * FINE, y + RING * FINE
        right, low = left + MODULES * FINE, top + MODULES * FINE
        corners = np.array([(left, top), (right, top), (right, low), (left, low)], np.float64)
        corners = np.roll(corners, -turns, axis=0)
        quad = corners @ np.array([(c, s), (-s, c)]) + (x0, y0)
        found.append(Place(quad, float(scores[turns, y, x])))
    return found


def _near(one: Place, other: Place) -> bool:
    """Tell whether two places are one, found twice."""
    return bool(abs(one.quad - other.quad).max() < np.hypot(*(one.quad[1] - one.quad[0])) / 12)


@cache
def _moves() -> Floats:
    """Give ways of moving four corners: together, turned, larger, stretched, and each alone."""
    square = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    whole = [np.tile(step, (4, 1)) for step in np.eye(2)]
    whole += [square[:, ::-1] * (-0.5, 0.5), square / 2, square * (0.5, 0), square * (0, 0.5)]
    moves = np.concatenate((whole, np.eye(8).reshape(8, 4, 2)))
    return np.concatenate((moves, -moves))


@cache
def _known() -> tuple[Floats, Floats]:
    """Give the middles of the modules known, quiet zone included, and what each is worth."""
    known = np.pad(symbol.patterns(), RING, constant_values=-0.6)
    places = np.argwhere(known)[:, ::-1].astype(np.float64) - (RING - 0.5)
    values: Floats = known[known != 0] / abs(known).sum()
    return places, values


def _scores(dark: Floats, quads: Floats) -> Floats:
    """Compare the known modules with what is there, for many quads; 1 is all of them."""
    places, values = _known()
    found: Floats = _sampled(dark, projected(quads, places)) @ values
    return found


def projected(quads: Floats, points: Floats) -> Floats:
    """Give pixels of points counted in modules, as a flat symbol is seen from anywhere."""
    corners = np.moveaxis(quads, 0, -1)[..., None]  # corner, axis, quad, and room for points
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    sx, sy = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    ax, ay, bx, by = x1 - x2, y1 - y2, x3 - x2, y3 - y2
    scale = ax * by - ay * bx
    g, h = (sx * by - sy * bx) / scale, (ax * sy - ay * sx) / scale
    u, v = points[:, 0] / MODULES, points[:, 1] / MODULES
    depth = g * u + h * v + 1
    x = (x1 - x0 + g * x1) * u + (x3 - x0 + h * x3) * v + x0
    y = (y1 - y0 + g * y1) * u + (y3 - y0 + h * y3) * v + y0
    return np.stack((x / depth, y / depth), axis=-1)


def _sampled(levels: NDArray[np.generic], points: Floats) -> Floats:
    """Read levels between pixels; points are counted from the corner of the first pixel."""
    height, width = levels.shape
    x = np.clip(points[..., 0] - 0.5, 0, width - 1.001)
    y = np.clip(points[..., 1] - 0.5, 0, height - 1.001)
    left, top = x.astype(np.intp), y.astype(np.intp)
    u, v = x - left, y - top
    flat, at = levels.ravel(), top * width + left
    upper = flat[at] * (1 - u) + flat[at + 1] * u
    lower = flat[at + width] * (1 - u) + flat[at + width + 1] * u
    found: Floats = upper * (1 - v) + lower * v
    return found


def levels_of(grey: Grey, quad: Floats) -> Floats:
    """Measure each module whole, quiet zone included: twenty-five levels of each, (29, 29, 25)."""
    size = MODULES + 2 * RING
    axis = (np.arange(-RING, MODULES + RING)[:, None] + SPOTS).ravel()
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    found = _sampled(grey, projected(quad[None], points))
    found = found.reshape(size, len(SPOTS), size, len(SPOTS))
    return found.swapaxes(1, 2).reshape(size, size, -1)


def judged(levels: Floats) -> Iterator[Floats]:
    """Tell how dark modules are (0 to 1): by which levels are dark, and by how many of them.

    Ink over a code only darkens: a module is light when a part of it still is.
    """
    known = _expected()
    black, paper = np.median(levels[known > 0]), np.median(levels[known < 0])
    gap = max(float(paper - black), 16.0)
    low, high = _around(levels.mean(axis=-1), 3)
    local = np.maximum(high - low, gap / 4)
    neighbours = (low + local / 2)[..., None], local[..., None]
    for (limit, width), shares in (
        ((black + gap * 0.3, gap), (0.5,)),
        (neighbours, (0.5, 0.7)),
        ((black + gap * 0.5, gap), (0.5, 0.7)),
        ((black + gap * 0.18, gap), (0.5,)),
    ):
        inked = np.clip(0.5 + (limit - levels) / width * 1.5, 0, 1).mean(axis=-1)
        for share in shares:
            over = 1 + (inked - share) / (1 - share)
            yield np.where(inked < share, inked / share, over) / 2


@cache
def _expected() -> Floats:
    """Give the known modules with their quiet zone: 1 dark, -1 light, 0 not known."""
    return np.pad(symbol.patterns(), RING, constant_values=-1.0)


def _risks(dark: Floats) -> list[Floats]:
    """Say how likely modules are to be wrong, in three ways of thinking.

    What is half covered is doubtful; so is what is near known modules that are wrong (ink lies
    there, or the paper is gone), and what makes a patch or a line of one colour, as masked symbols
    hardly ever do.
    """
    known = _expected()
    doubt = 1 - abs(2 * dark - 1)
    read = np.where(dark > 0.5, 1.0, -1.0)
    wrong = near_sum((known * read < 0).astype(np.float64), 2)
    near = wrong / np.maximum(near_sum(abs(known), 2), 1.0)
    patch = np.clip((read * near_sum(read, 1) / 9 - 0.3) / 0.7, 0, 1)
    line = np.clip((_along(read) - 0.4) / 0.6, 0, 1)
    inner = (slice(RING, -RING),) * 2
    return [each[inner] for each in (doubt, doubt / 2 + near + patch, doubt / 2 + near + line)]


def near_sum(values: Floats, reach: int) -> Floats:
    """Add up what is around each module, so far on every side; nothing is around the edges."""
    padded, size = np.pad(values, reach), 2 * reach + 1
    rows = np.sum([padded[at : at + len(values)] for at in range(size)], axis=0)
    found: Floats = np.sum([rows[:, at : at + values.shape[1]] for at in range(size)], axis=0)
    return found


def _along(read: Floats, reach: int = 4) -> Floats:
    """Give how much of a line through each module is of its colour, in the best of 8 directions."""
    padded = np.pad(read, reach)
    size = len(read)
    best = np.zeros_like(read)
    for angle in np.arange(8) * np.pi / 8:
        steps = {
            (round(np.sin(angle) * far), round(np.cos(angle) * far))
            for far in range(-reach, reach + 1)
        }
        total = sum(
            padded[reach + y : reach + y + size, reach + x : reach + x + size] for y, x in steps
        )
        best = np.maximum(best, read * total / len(steps))
    return best


def _around(means: Floats, reach: int) -> tuple[Floats, Floats]:
    """Give the darkest and the lightest levels around each module, but for the extremes."""
    size = 2 * reach + 1
    padded = np.pad(means, reach, mode="reflect")
    views = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    low, high = np.percentile(views.reshape(*means.shape, -1), (12, 88), axis=-1)
    return np.asarray(low, np.float64), np.asarray(high, np.float64)
