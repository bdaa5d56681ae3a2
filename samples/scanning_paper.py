"""What happens to a sheet of paper before it is scanned: stamps, pens, staples, tears, folds.

Paper is an array of levels, (height, width) in grey or (height, width, 3) in colour, held upright.
Places are in millimetres from its top left. Every function gives a new array; chance comes from
the generator it is given, and from nothing else.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from docgen.rendering.fonts import font_file

Pixels: TypeAlias = NDArray[np.uint8]
Point: TypeAlias = tuple[float, float]
Curve: TypeAlias = NDArray[np.float64]
Painter: TypeAlias = Callable[[ImageDraw.ImageDraw, float], None]

MM = 25.4  # millimetres in an inch
FINER = 2  # ink is drawn finer, then reduced: its edges are soft
LUMA = np.array((0.299, 0.587, 0.114))  # ITU-R BT.601: what a grey scanner keeps of a colour
# The part of red, green and blue light that an ink sends back.
INKS = {
    "black": (0.12, 0.12, 0.13),
    "blue": (0.13, 0.20, 0.60),
    "red": (0.80, 0.16, 0.20),
    "violet": (0.40, 0.18, 0.58),
    "pencil": (0.50, 0.50, 0.52),
}
WORDS = ("LYCÉE", "RÉGION", "REÇU LE", "PROVISEUR", "ACADÉMIE", "14 SEPT. 2026", "COURRIER")
EDGE = 90  # level of what lies behind torn paper, at most


def painted(pixels: Pixels, mask: Pixels, at: tuple[int, int], ink: str) -> Pixels:
    """Lay ink through a mask (255: all of it) whose top left is at a pixel; what is off is lost."""
    x, y = at
    height, width = pixels.shape[:2]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + mask.shape[1], width), min(y + mask.shape[0], height)
    if left >= right or top >= bottom:
        return pixels
    result = pixels.copy()
    part = result[top:bottom, left:right]
    shade = mask[top - y : bottom - y, left - x : right - x].astype(np.float32) / 255
    sent = np.array(INKS[ink], np.float32)
    if pixels.ndim == 2:
        part[:] = part * (1 - shade * (1 - np.float32(sent @ LUMA)))
    else:
        part[:] = part * (1 - shade[..., None] * (1 - sent))
    return result


def mask_of(paint: Painter, size: Point, dpi: float) -> Pixels:
    """Draw a mask of a size in mm; the painter is told how many pixels a millimetre is."""
    scale = dpi / MM * FINER
    width, height = (max(FINER, round(length * scale)) // FINER * FINER for length in size)
    image = Image.new("L", (width, height))
    paint(ImageDraw.Draw(image), scale)
    return np.asarray(image.reduce(FINER))


def uneven(mask: Pixels, rng: Generator, least: float, grain: int = 9) -> Pixels:
    """Thin the ink here and there, down to a part of it, as a stamp or a dry pen does."""
    rows, columns = (max(2, length // grain) for length in mask.shape)
    coarse = Image.fromarray(rng.integers(0, 256, (rows, columns), np.uint8))
    smooth = np.asarray(coarse.resize(mask.shape[::-1], Image.Resampling.BICUBIC), np.float32)
    return np.asarray(mask * (least + (1 - least) * smooth / 255), np.uint8)


def stamp(pixels: Pixels, dpi: float, at: Point, rng: Generator, ink: str) -> Pixels:
    """Stamp a seal, a dated frame or an over-inked block over a place, a little askew."""
    kind = rng.choice(["seal", "frame", "block"], p=[0.45, 0.3, 0.25])
    size = {"seal": 36.0, "frame": 44.0, "block": 40.0}[kind] * rng.uniform(0.85, 1.1)
    drawn = mask_of(lambda draw, scale: _SEALS[kind](draw, scale, size, rng), (size, size), dpi)
    drawn = uneven(drawn, rng, rng.uniform(0.35, 0.8))
    askew, how = rng.uniform(-25, 25), Image.Resampling.BILINEAR
    turned = np.asarray(Image.fromarray(drawn).rotate(askew, how, expand=True))
    x, y = np.round((np.array(at) + rng.normal(0, 3, 2)) * dpi / MM).astype(int)
    place = int(x) - turned.shape[1] // 2, int(y) - turned.shape[0] // 2
    return painted(pixels, turned, place, ink)


def _seal(draw: ImageDraw.ImageDraw, scale: float, size: float, rng: Generator) -> None:
    """Draw the round seal of a school: two rings, words around, lines of text within."""
    side = size * scale
    for inset, thick in ((0.02, 0.9), (0.06, 0.35), (0.24, 0.5)):
        box = (side * inset, side * inset, side * (1 - inset), side * (1 - inset))
        draw.ellipse(box, outline=255, width=round(thick * scale))
    for angle in np.arange(0, 2 * np.pi, np.pi / 14):
        x, y = side * (0.5 + 0.40 * np.cos(angle)), side * (0.5 + 0.40 * np.sin(angle))
        _word(draw, str(rng.choice(list("ABCDEILNOPRSTU"))), (x, y), 4.2 * scale)
    for row in range(-2, 3):
        word = str(rng.choice(WORDS))[: 9 - 2 * abs(row)]
        _word(draw, word, (side / 2, side / 2 + row * 3.6 * scale), 3.8 * scale)


def _frame(draw: ImageDraw.ImageDraw, scale: float, size: float, rng: Generator) -> None:
    """Draw a frame with lines of large text and a date."""
    side = size * scale
    box = (side * 0.03, side * 0.2, side * 0.97, side * 0.8)
    draw.rectangle(box, outline=255, width=round(0.9 * scale))
    for row, height in enumerate((5.5, 6.5, 5.5)):
        place = side / 2, side * (0.32 + 0.18 * row)
        _word(draw, str(rng.choice(WORDS)), place, height * scale)


def _block(draw: ImageDraw.ImageDraw, scale: float, size: float, rng: Generator) -> None:
    """Draw a block of ink whose words are left light: the worst for a code beneath."""
    side = size * scale
    draw.rounded_rectangle((side * 0.05, side * 0.25, side * 0.95, side * 0.75), 9, fill=255)
    _word(draw, str(rng.choice(WORDS)), (side / 2, side / 2), 6.5 * scale, fill=0)


_SEALS = {"seal": _seal, "frame": _frame, "block": _block}


def _word(draw: ImageDraw.ImageDraw, word: str, at: Point, size: float, *, fill: int = 255) -> None:
    draw.text(at, word, fill, letters(size), anchor="mm")


def letters(size: float) -> ImageFont.FreeTypeFont:
    """Give the letters of stamps and of other people's papers, so many pixels high."""
    return ImageFont.truetype(font_file("Bold"), size)


def pen(pixels: Pixels, dpi: float, at: Point, rng: Generator, ink: str) -> Pixels:
    """Scribble over a place with a pen, as a signature that strays does."""
    width, height = rng.uniform(18, 34), rng.uniform(10, 20)
    curve = signature_curve(rng, width, height)
    curve += np.array(at) - (width / 2, height / 2) + rng.normal(0, 2.5, 2)
    return stroke(pixels, dpi, [curve], rng.uniform(0.45, 1.0), rng, ink=ink)


def long_stroke(pixels: Pixels, dpi: float, at: Point, rng: Generator, ink: str) -> Pixels:
    """Draw one long line or two across a place, towards the middle of the page."""
    angle = np.arctan2(150 - at[1], 105 - at[0]) + rng.normal(0, 0.5)
    for _ in range(rng.integers(1, 3)):
        start = np.array(at) + rng.normal(0, 4, 2) - 14 * np.array((np.cos(angle), np.sin(angle)))
        reach = np.linspace(0, rng.uniform(40, 130), 30)
        bend = rng.normal(0, 0.002) * reach**2
        x = start[0] + reach * np.cos(angle) - bend * np.sin(angle)
        y = start[1] + reach * np.sin(angle) + bend * np.cos(angle)
        line = np.column_stack((x, y))
        pixels = stroke(pixels, dpi, [line], rng.uniform(0.4, 1.4), rng, ink=ink)
        angle += rng.normal(0, 0.15)
    return pixels


def stroke(
    pixels: Pixels, dpi: float, curves: Sequence[Curve], width: float, rng: Generator, *, ink: str
) -> Pixels:
    """Draw curves, each points in mm, with a pen of a width in mm."""
    points = np.concatenate(curves)
    margin = 2 * width + 0.5
    low = np.floor((points.min(0) - margin) * dpi / MM) * MM / dpi
    size = points.max(0) - low + margin

    def paint(draw: ImageDraw.ImageDraw, scale: float) -> None:
        for curve in curves:
            path = [(float(x), float(y)) for x, y in (curve - low) * scale]
            draw.line(path, 255, max(1, round(width * scale)), joint="curve")

    mask = mask_of(paint, (float(size[0]), float(size[1])), dpi)
    x, y = np.round(low * dpi / MM).astype(int)
    return painted(pixels, uneven(mask, rng, rng.uniform(0.7, 1)), (int(x), int(y)), ink)


def signature_curve(rng: Generator, width: float, height: float) -> Curve:
    """Give a curve like a signature, in a box of this size from (0, 0)."""
    turns = int(rng.integers(7, 22))
    steps = rng.uniform(-0.35, 1, turns) * rng.choice((1, 1, 2.5), turns)
    low = np.arange(turns) % 2
    tall = rng.uniform(0.15, 0.5, turns) * rng.choice((1, 1, 2.6), turns)
    drift = np.linspace(0, rng.normal(0, 0.5), turns)
    curve = np.column_stack((np.cumsum(steps), np.where(low, tall, -tall) + drift))
    if rng.random() < 0.6:  # the paraph: a line back under the name, or through it
        first, last = curve[0, 0], curve[-1, 0]
        under = curve[:, 1].max() * rng.uniform(-0.2, 1.2)
        back = [(last + 0.5, under), (first, under + 0.2), (last * rng.uniform(0.5, 1.3), under)]
        curve = np.concatenate((curve, np.array(back)))
    curve = _smooth(curve)
    curve -= curve.min(0)
    return np.asarray(curve / curve.max(0) * (width, height))


def _smooth(curve: Curve, times: int = 4) -> Curve:
    """Cut the corners of a broken line until it is a hand's (Chaikin)."""
    for _ in range(times):
        ahead = curve[1:]
        near, far = 0.75 * curve[:-1] + 0.25 * ahead, 0.25 * curve[:-1] + 0.75 * ahead
        between = np.stack((near, far), 1).reshape(-1, 2)
        curve = np.concatenate((curve[:1], between, curve[-1:]))
    return curve


def written_line(rng: Generator, width: float, height: float = 3.0) -> list[Curve]:
    """Give the words of a line written by hand, in a box of this size from (0, 0)."""
    words, x = [], 0.0
    while width - x > 4:
        length = min(rng.uniform(5, 24), width - x)
        turns = max(4, 2 * round(length / rng.uniform(1.8, 3)))
        across = x + np.linspace(0, length, turns) + rng.normal(0, 0.35, turns)
        # Letters without a stem take the middle; some rise above it, a few go below.
        reach = rng.choice((0.0, 0.0, 0.5, -0.4), turns)
        foot = np.arange(turns) % 2
        y = height * (0.5 + np.where(foot, 0.25 + np.maximum(-reach, 0), -0.1 - reach.clip(0)))
        words.append(_smooth(np.column_stack((across, y + rng.normal(0, 0.12, turns)))))
        x += length + rng.uniform(2, 5)
    return words


def staple(pixels: Pixels, dpi: float, at: Point, rng: Generator, ink: str) -> Pixels:
    """Leave two holes and often the staple itself, dark or shining, over a place."""
    angle = rng.choice([0.0, np.pi / 2, np.pi / 4, -np.pi / 4]) + rng.normal(0, 0.1)
    half = 6.0 * np.array((np.cos(angle), np.sin(angle)))  # a 24/6 staple is 12 mm wide
    centre = np.array(at) + rng.normal(0, 4, 2)
    ends = np.array((centre - half, centre + half))
    for end in ends:
        hole = end + rng.normal(0, 0.15, (6, 2))
        pixels = stroke(pixels, dpi, [hole], rng.uniform(0.6, 1.1), rng, ink="black")
    if rng.random() < 0.5:
        shadow = stroke(pixels, dpi, [ends + 0.25], 0.7, rng, ink="black")
        return _light(shadow, dpi, ends, 0.45) if rng.random() < 0.5 else shadow
    return pixels


def _light(pixels: Pixels, dpi: float, ends: Curve, width: float) -> Pixels:
    """Let metal shine along a line."""
    image = Image.fromarray(pixels)
    path = [(float(x), float(y)) for x, y in ends * dpi / MM]
    level = 215 if pixels.ndim == 2 else (215, 215, 220)
    ImageDraw.Draw(image).line(path, level, max(1, round(width * dpi / MM)))
    return np.asarray(image)


def torn(pixels: Pixels, dpi: float, at: Point, rng: Generator, ink: str) -> Pixels:
    """Tear off the corner of the paper nearest to a place; what lies behind shows."""
    height, width = pixels.shape[:2]
    right, low = at[0] * dpi / MM > width / 2, at[1] * dpi / MM > height / 2
    legs = rng.uniform(14, 36, 2) * dpi / MM
    steps = np.linspace(0, 1, 16)
    rough = rng.normal(0, 0.02, 16) * (steps > 0) * (steps < 1)
    x, y = legs[0] * (1 - steps + rough), legs[1] * (steps + rough)
    path = [(0.0, 0.0), *zip(map(float, x), map(float, y), strict=True)]
    corner = [(width - 1 - u if right else u, height - 1 - v if low else v) for u, v in path]
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    behind = int(rng.choice([0, EDGE, 235, 255]))
    level = behind if pixels.ndim == 2 else (behind, behind, behind)
    draw.polygon(corner, fill=level)
    fibre = 200 if pixels.ndim == 2 else (200, 198, 195)
    draw.line(corner[1:], fibre, max(1, round(0.6 * dpi / MM)))
    return np.asarray(image)


def fold(pixels: Pixels, dpi: float, at: Point, rng: Generator, ink: str) -> Pixels:
    """Crease the paper across a place, or leave its corner turned down over it."""
    if rng.random() < 0.35:
        return _dog_ear(pixels, dpi, at, rng)
    height, width = pixels.shape[:2]
    angle = rng.choice([np.pi / 4, -np.pi / 4, 0.02, np.pi / 2]) + rng.normal(0, 0.15)
    across = np.array((-np.sin(angle), np.cos(angle)))
    offset = float(np.dot(np.array(at) + rng.normal(0, 4, 2), across))
    reach = 45 * dpi / MM
    x0, x1 = (int(np.clip(at[0] * dpi / MM + side * reach, 0, width)) for side in (-1, 1))
    y0, y1 = (int(np.clip(at[1] * dpi / MM + side * reach, 0, height)) for side in (-1, 1))
    rows, columns = np.mgrid[y0:y1, x0:x1].astype(np.float32) * np.float32(MM / dpi)
    far = columns * np.float32(across[0]) + rows * np.float32(across[1]) - np.float32(offset)
    depth, wide = rng.uniform(40, 150), rng.uniform(0.2, 0.6)
    shade = depth * np.exp(-((far / wide) ** 2)) + 28 * np.exp(-np.abs(far) / 5) * (far > 0)
    away = np.hypot(columns - np.float32(at[0]), rows - np.float32(at[1]))
    shade *= np.clip((45 - away) / 20, 0, 1)  # a crease dies away, it does not end
    result = pixels.copy()
    part = result[y0:y1, x0:x1]
    # Near the crease the paper stands off the glass: what is printed there is drawn together.
    moved = np.clip(np.arange(x1 - x0) + round(rng.uniform(0.1, 0.5) * dpi / MM), 0, x1 - x0 - 1)
    near = (far > 0) & (far < 3)
    part[near] = part[:, moved][near]
    dark = shade if pixels.ndim == 2 else shade[..., None]
    part[:] = np.clip(part - dark, 0, 255)
    return result


def _dog_ear(pixels: Pixels, dpi: float, at: Point, rng: Generator) -> Pixels:
    height, width = pixels.shape[:2]
    right, low = at[0] * dpi / MM > width / 2, at[1] * dpi / MM > height / 2
    leg = rng.uniform(16, 34) * dpi / MM
    ear = [(leg, 0.0), (0.0, leg), (leg, leg)]
    behind = [(0.0, 0.0), (leg, 0.0), (0.0, leg)]
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    for shape, level in ((behind, int(rng.choice([30, 120, 255]))), (ear, 243)):
        path = [(width - 1 - u if right else u, height - 1 - v if low else v) for u, v in shape]
        draw.polygon(path, fill=level if pixels.ndim == 2 else (level, level, level))
    path = [(width - 1 - u if right else u, height - 1 - v if low else v) for u, v in ear[:2]]
    shadow = 150 if pixels.ndim == 2 else (150, 150, 150)
    draw.line(path, shadow, max(1, round(0.5 * dpi / MM)))
    return np.asarray(image)


def photocopied(pixels: Pixels, dpi: float, rng: Generator) -> Pixels:
    """Copy the paper once: softer, then harder, with specks of toner and a dirty glass."""
    soft = Image.fromarray(pixels).filter(ImageFilter.BoxBlur(0.06 * dpi / MM))
    levels = np.arange(256)
    curve = 255 / (1 + np.exp(-(levels - rng.uniform(118, 160)) / rng.uniform(20, 34)))
    channels = 1 if pixels.ndim == 2 else 3
    hard = soft.point([round(level) for level in curve] * channels)
    return specks(np.array(hard), dpi, rng, int(rng.integers(20, 160)))


def specks(pixels: Pixels, dpi: float, rng: Generator, count: int, most: float = 0.5) -> Pixels:
    """Leave specks of dust or toner, up to a diameter in mm."""
    result = pixels.copy()
    height, width = pixels.shape[:2]
    places = rng.integers(0, (height, width), (count, 2))
    sizes = np.maximum(1, np.round(rng.uniform(0.05, most, count) * dpi / MM)).astype(int)
    for (y, x), size, level in zip(places, sizes, rng.integers(10, 140, count), strict=True):
        result[y : y + size, x : x + size] = np.minimum(result[y : y + size, x : x + size], level)
    return result


def shining_through(pixels: Pixels, other: Pixels, amount: float) -> Pixels:
    """Let the other side of the sheet shine through, mirrored, up to so many levels."""
    size = pixels.shape[1], pixels.shape[0]
    soft = Image.fromarray(other[:, ::-1]).resize(size).filter(ImageFilter.BoxBlur(2))
    dark = (255 - np.asarray(soft, np.float32)) * np.float32(amount / 255)
    return np.asarray(
        np.clip(pixels - (dark if pixels.ndim == 2 else dark[..., None]), 0, 255), np.uint8
    )


DAMAGES = {
    "stamp": stamp,
    "pen": pen,
    "stroke": long_stroke,
    "staple": staple,
    "torn": torn,
    "fold": fold,
}
