"""What a scanner or a phone makes of paper: skew, cut edges, blur, noise, light, thresholds.

Arrays of levels in, arrays of levels out; see `samples.scanning_paper` for what they hold. Pillow
does the work on whole images: thousands of sides are scanned in a measure.
"""

from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from samples.scanning_paper import MM, Pixels

TILE = 1024  # pixels of the square of noise that an image repeats
SPREAD = 40.0  # levels of noise in that square, before it is brought to what is wanted
TO_TOP = {"top": 0, "left": 90, "bottom": 180, "right": 270}
TABLES = ((120, 84, 54), (58, 60, 66), (176, 168, 158), (150, 120, 90), (24, 24, 27))


def skewed(pixels: Pixels, degrees: float, shift: tuple[float, float], behind: int) -> Pixels:
    """Turn paper on the glass about its middle, clockwise, then move it by pixels."""
    height, width = pixels.shape[:2]
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    x, y = width / 2 + shift[0], height / 2 + shift[1]
    # PIL wants where each pixel comes from: the inverse of a clockwise turn.
    matrix = (cos, sin, width / 2 - cos * x - sin * y, -sin, cos, height / 2 + sin * x - cos * y)
    image = Image.fromarray(pixels)
    fill = behind if pixels.ndim == 2 else (behind, behind, behind)
    method, how = Image.Transform.AFFINE, Image.Resampling.BILINEAR
    return np.asarray(image.transform(image.size, method, matrix, how, fillcolor=fill))


def turned(pixels: Pixels, degrees: int) -> Pixels:
    """Turn an image clockwise by a multiple of 90 degrees."""
    return np.ascontiguousarray(np.rot90(pixels, -degrees // 90))


def cut(pixels: Pixels, edge: str, dpi: float, length: float, *, shrunk: bool) -> Pixels:
    """Lose so many mm at an edge, as a feeder does; what is left moves up, or is shorter."""
    lost = round(length * dpi / MM)
    pixels = turned(pixels, TO_TOP[edge])[lost:]
    if not shrunk:
        room = [(0, lost)] + [(0, 0)] * (pixels.ndim - 1)
        pixels = np.pad(pixels, room, constant_values=255)
    return turned(pixels, -TO_TOP[edge] % 360)


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """Put the glass out of focus, by a Gaussian of so many pixels."""
    if sigma > 0.9:
        return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(sigma)))
    near = np.exp(-0.5 / max(sigma, 0.05) ** 2)
    row = np.array((near, 1, near))
    kernel = ImageFilter.Kernel((3, 3), tuple(map(float, np.outer(row, row).ravel())))
    return np.asarray(Image.fromarray(pixels).filter(kernel))


def faded(pixels: Pixels, black: float, white: float) -> Pixels:
    """Bring levels between those of the scanner's black and white."""
    levels = np.clip(np.round(black + np.arange(256) * (white - black) / 255), 0, 255)
    table = [int(level) for level in levels]
    return np.asarray(Image.fromarray(pixels).point(table * _channels(pixels)))


def noisy(pixels: Pixels, sigma: float, rng: Generator) -> Pixels:
    """Add noise of so many levels, the same for the three colours as most of a sensor's is."""
    x, y = (int(start) for start in rng.integers(0, TILE, 2))
    levels = np.clip(128 + (np.arange(256) - 128) * sigma / SPREAD, 0, 255)
    tile = Image.fromarray(_noise()[y : y + TILE, x : x + TILE])
    tile = tile.point([round(level) for level in levels])
    image = Image.fromarray(pixels)
    field = Image.new("L", image.size)
    for top in range(0, image.height, TILE):
        for left in range(0, image.width, TILE):
            field.paste(tile, (left, top))
    return np.asarray(ImageChops.add(image, _spread(field, pixels), 1, -128))


@cache
def _noise() -> Pixels:
    normal = np.random.default_rng(7).standard_normal((TILE, TILE), np.float32)
    return np.tile(np.clip(np.round(128 + SPREAD * normal), 0, 255).astype(np.uint8), (2, 2))


def lit(pixels: Pixels, rng: Generator, depth: float) -> Pixels:
    """Light unevenly: a slope, and a soft shadow as of a hand or a head."""
    rows, columns = np.mgrid[-1:1:24j, -1:1:24j]
    angle = rng.uniform(0, 2 * np.pi)
    slope = (rows * np.sin(angle) + columns * np.cos(angle)) / 2.8
    x, y = rng.uniform(-1.2, 1.2, 2)
    edge = (columns - x) * np.cos(angle / 2) + (rows - y) * np.sin(angle / 2)
    shadow = 1 / (1 + np.exp(-edge * rng.uniform(3, 14)))
    light = 1 - depth * (0.25 - 0.5 * slope + 0.6 * shadow)
    image = Image.fromarray(pixels)
    coarse = Image.fromarray((np.clip(light, 0.05, 1) * 255).astype(np.uint8))
    smooth = coarse.resize(image.size, Image.Resampling.BICUBIC)
    return np.asarray(ImageChops.multiply(image, _spread(smooth, pixels)))


def photographed(pixels: Pixels, width: int, rng: Generator, tilt: float) -> Pixels:
    """Photograph colour paper lying on a table, in a picture 3 wide and 4 high.

    `tilt` is how far its corners stray from a rectangle, as a part of its width.
    """
    high, wide = pixels.shape[:2]
    size = (width, width * 4 // 3) if wide < high else (width * 4 // 3, width)
    scale = min(size[0] / wide, size[1] / high) * rng.uniform(0.82, 0.95)
    box = np.array(((0, 0), (wide, 0), (wide, high), (0, high)), np.float64)
    corners = (box - (wide / 2, high / 2)) * scale
    angle = np.radians(rng.normal(0, 2.5))
    turn = np.array(((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))))
    corners = corners @ turn.T + rng.uniform(-tilt, tilt, (4, 2)) * wide * scale
    corners += np.array(size) * (0.5 + rng.normal(0, 0.008, 2))
    matrix = _perspective(corners, box)
    image, method = Image.fromarray(pixels), Image.Transform.PERSPECTIVE
    laid = image.transform(size, method, matrix, Image.Resampling.BILINEAR)
    whole = Image.new("L", image.size, 255)
    inside = whole.transform(size, method, matrix, Image.Resampling.NEAREST)
    return np.asarray(Image.composite(laid, _table(size, rng), inside))


def _perspective(places: NDArray[np.float64], sources: NDArray[np.float64]) -> tuple[float, ...]:
    """Give the eight numbers that bring four places to their sources (a homography)."""
    rows = []
    for (x, y), (u, v) in zip(places, sources, strict=True):
        rows.append((x, y, 1, 0, 0, 0, -u * x, -u * y))
        rows.append((0, 0, 0, x, y, 1, -v * x, -v * y))
    return tuple(map(float, np.linalg.solve(np.array(rows), sources.ravel())))


def _table(size: tuple[int, int], rng: Generator) -> Image.Image:
    """Give a table top: a colour with a grain along it."""
    colour = TABLES[rng.integers(len(TABLES))]
    grain = rng.normal(128, rng.uniform(3, 12), (size[1] // 5, 5))
    coarse = Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8))
    smooth = coarse.resize(size, Image.Resampling.BICUBIC)
    tables = (np.clip(np.arange(256) - 128 + level, 0, 255) for level in colour)
    return Image.merge("RGB", [smooth.point([int(v) for v in table]) for table in tables])


def cast(pixels: Pixels, rng: Generator) -> Pixels:
    """Give a photograph the colour of its light, from warm lamps to a blue sky."""
    warm = rng.normal(0, 0.06)
    gains = np.array((1 + warm, 1.0, 1 - warm)) * rng.uniform(0.82, 1.0)
    levels = np.clip(np.arange(256)[None] * gains[:, None], 0, 255)
    return np.asarray(Image.fromarray(pixels).point([int(level) for level in levels.ravel()]))


def bitonal(pixels: Pixels, threshold: float) -> NDArray[np.bool_]:
    """Tell white from black by one level: True is white."""
    return pixels >= threshold


def _channels(pixels: Pixels) -> int:
    return 1 if pixels.ndim == 2 else 3


def _spread(field: Image.Image, pixels: Pixels) -> Image.Image:
    """Give a field of levels as many channels as an image has."""
    return field if pixels.ndim == 2 else Image.merge("RGB", [field] * 3)
