"""What a scanner or a phone makes of paper: skew, cut edges, blur, noise, light, thresholds.

Arrays of levels in, arrays of levels out; see `samples.scanning_paper` for what they hold.
"""

from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from samples.scanning_paper import MM, Pixels

POOL = 2048  # pixels of the square of noise that images draw theirs from


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


TO_TOP = {"top": 0, "left": 90, "bottom": 180, "right": 270}


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """Put the glass out of focus, by a Gaussian of so many pixels."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(sigma)))


def faded(pixels: Pixels, black: float, white: float) -> Pixels:
    """Bring levels between those of the scanner's black and white."""
    table = np.clip(np.round(black + np.arange(256) * (white - black) / 255), 0, 255)
    return np.asarray(table.astype(np.uint8)[pixels])


def noisy(pixels: Pixels, sigma: float, rng: Generator) -> Pixels:
    """Add noise of so many levels, the same for the three colours as most of a sensor's is."""
    height, width = pixels.shape[:2]
    x, y = (int(start) for start in rng.integers(0, POOL // 2, 2))
    half = POOL // 2
    square = _noise()[y : y + half, x : x + half] * np.float32(sigma)
    tile = np.round(square).astype(np.int16)
    field = np.tile(tile, (-(-height // half), -(-width // half)))[:height, :width]
    total = pixels + (field if pixels.ndim == 2 else field[..., None])
    return np.clip(total, 0, 255, out=total).astype(np.uint8)


@cache
def _noise() -> NDArray[np.float32]:
    return np.random.default_rng(7).standard_normal((POOL, POOL), np.float32)


def lit(pixels: Pixels, rng: Generator, depth: float) -> Pixels:
    """Light unevenly: a slope, and a soft shadow as of a hand or a head."""
    rows, columns = np.mgrid[-1:1:24j, -1:1:24j]
    angle = rng.uniform(0, 2 * np.pi)
    slope = (rows * np.sin(angle) + columns * np.cos(angle)) / 2.8
    x, y = rng.uniform(-1.2, 1.2, 2)
    edge = (columns - x) * np.cos(angle / 2) + (rows - y) * np.sin(angle / 2)
    shadow = 1 / (1 + np.exp(-edge * rng.uniform(3, 14)))
    light = 1 - depth * (0.25 - 0.5 * slope + 0.6 * shadow)
    coarse = Image.fromarray((np.clip(light, 0.05, 1) * 255).astype(np.uint8))
    size = pixels.shape[1], pixels.shape[0]
    smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.uint16)
    scale = smooth if pixels.ndim == 2 else smooth[..., None]
    return (pixels * scale >> 8).astype(np.uint8)


def photographed(pixels: Pixels, width: int, rng: Generator, tilt: float) -> Pixels:
    """Photograph colour paper lying on a table, in a picture 3 wide and 4 high.

    `tilt` is how far its corners stray from a rectangle, as a part of its width.
    """
    high, wide = pixels.shape[:2]
    size = (width, width * 4 // 3) if wide < high else (width * 4 // 3, width)
    fill = rng.uniform(0.8, 0.94)
    scale = min(size[0] * fill / wide, size[1] * fill / high)
    box = np.array(((0, 0), (wide, 0), (wide, high), (0, high)), np.float64)
    corners = (box - (wide / 2, high / 2)) * scale
    angle = np.radians(rng.normal(0, 2.5))
    turn = np.array(((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))))
    corners = corners @ turn.T + rng.uniform(-tilt, tilt, (4, 2)) * wide * scale
    corners += (size[0] / 2, size[1] / 2) + rng.normal(0, 0.01, 2) * size
    matrix = _perspective(corners, box)
    image = Image.fromarray(pixels)
    method, how = Image.Transform.PERSPECTIVE, Image.Resampling.BILINEAR
    laid = np.asarray(image.transform(size, method, matrix, how))
    inside = Image.new("L", image.size, 255).transform(size, method, matrix, how)
    return np.where(np.asarray(inside)[..., None] > 127, laid, _table(size, rng))


def _perspective(places: NDArray[np.float64], sources: NDArray[np.float64]) -> tuple[float, ...]:
    """Give the eight numbers that bring four places to their sources (a homography)."""
    rows = []
    for (x, y), (u, v) in zip(places, sources, strict=True):
        rows.append((x, y, 1, 0, 0, 0, -u * x, -u * y))
        rows.append((0, 0, 0, x, y, 1, -v * x, -v * y))
    return tuple(map(float, np.linalg.solve(np.array(rows), sources.ravel())))


def _table(size: tuple[int, int], rng: Generator) -> Pixels:
    """Give a table top: a colour with a grain along it."""
    colour = np.array(
        ((120, 84, 54), (58, 60, 66), (176, 168, 158), (150, 120, 90))[rng.integers(4)]
    )
    grain = rng.normal(0, 14, (size[1] // 6, 12))
    coarse = Image.fromarray(np.clip(128 + grain, 0, 255).astype(np.uint8))
    smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.int16) - 128
    return np.clip(colour + smooth[..., None], 0, 255).astype(np.uint8)


def cast(pixels: Pixels, rng: Generator) -> Pixels:
    """Give a photograph the colour of its light, from warm lamps to a blue sky."""
    warm = rng.normal(0, 0.06)
    gains = np.array((1 + warm, 1.0, 1 - warm)) * rng.uniform(0.82, 1.0)
    tables = np.clip(np.arange(256)[None] * gains[:, None], 0, 255).astype(np.uint8)
    return np.stack([tables[channel][pixels[..., channel]] for channel in range(3)], -1)


def bitonal(pixels: Pixels, threshold: float) -> NDArray[np.bool_]:
    """Tell white from black by one level: True is white."""
    return pixels >= threshold
