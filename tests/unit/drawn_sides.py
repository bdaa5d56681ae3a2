"""Sides drawn for tests of reading: codes at their places, lines of text, on paper laid askew."""

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from PIL import Image, ImageDraw

from docgen import pagecode
from docgen.pagecode import Key, PageCode
from docgen.rendering import symbols
from docgen.rendering.symbols import MODULES, ROW_BYTES
from docgen.scanning.cascade import Grey
from docgen.scanning.findings import Matrix
from docgen.scanning.geometry import A4, CODE_SIZE, code_box

KEY = Key(5, b"a key of the tests of reading...")
KEYS = {KEY.number: KEY}
DOCUMENT = bytes.fromhex("0123456789ab")
MASTER = 300


@dataclass(frozen=True)
class Sheet:
    """A picture as `images` gives it, from an array."""

    pixels: Grey
    dpi: float = 200.0
    index: int = 0
    turned: int = 0
    fault: str = ""

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    def grey(self, reduce: int = 1) -> Grey:
        assert not self.fault, "a picture with a fault is not opened"
        return np.asarray(Image.fromarray(self.pixels).reduce(reduce))


def said(corner: int, side: int = 2, sides: int = 5, key: Key = KEY) -> str:
    return pagecode.make(key, PageCode(DOCUMENT, side, sides, corner))


def symbol(text: str, pixels: int) -> Grey:
    """Draw a symbol, so many pixels wide."""
    bits = np.frombuffer(symbols.segno_image(text), np.uint8).reshape(-1, ROW_BYTES)
    levels = Image.fromarray(np.unpackbits(bits, axis=1)[:, :MODULES] * np.uint8(255))
    return np.asarray(levels.resize((pixels, pixels), Image.Resampling.NEAREST))


def master(texts: dict[int, str], *, landscape: bool = False, lines: int = 30) -> Grey:
    """Draw a side upright at 300 dpi: texts of codes by corner, and lines of words."""
    size = A4[::-1] if landscape else A4
    width, height = (round(length * MASTER / 72) for length in size)
    image = Image.new("L", (width, height), 255)
    draw, chance = ImageDraw.Draw(image), np.random.default_rng(1)
    for line in range(lines):
        top, x = 420 + line * 60, 320
        while lines and x < width - 420 and top < height - 420:
            word = int(chance.integers(30, 200))
            for letter in range(x, x + word, 18):
                draw.rectangle((letter, top, letter + 4, top + 26), fill=20)
            x += word + 24
    for corner, text in texts.items():
        (left, top), *_ = code_box(corner, size) * MASTER / 72
        pixels = round(CODE_SIZE * MASTER / 72)
        image.paste(Image.fromarray(symbol(text, pixels)), (round(left), round(height - top)))
    return np.asarray(image)


def laid(
    drawn: Grey,
    dpi: float = 200.0,
    *,
    turns: int = 0,
    skew: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
    stretch: float = 1.0,
) -> tuple[Sheet, Matrix]:
    """Scan a side: turned clockwise by quarters and degrees, moved by mm, longer by a factor.

    Gives the picture, and the true matrix from its pixels to points of the side.
    """
    high, wide = drawn.shape
    angle, scale = radians(turns * 90 + skew), dpi / MASTER
    width, height = (wide, high) if turns % 2 == 0 else (high, wide)
    size = round(width * scale), round(height * scale)
    # From a pixel of the picture to one of the drawing: move back, then turn back.
    x0, y0 = (length / 2 + mm / 25.4 * dpi for length, mm in zip(size, shift, strict=True))
    c, s = cos(angle) / scale, sin(angle) / scale
    t = stretch
    back = (c, s / t, wide / 2 - c * x0 - s / t * y0, -s, c / t, high / 2 + s * x0 - c / t * y0)
    image = Image.fromarray(drawn).reduce(1)
    method = Image.Transform.AFFINE
    pixels = image.transform(size, method, back, Image.Resampling.BICUBIC, fillcolor=255)
    k = 72 / MASTER
    a, c_, e, b, d, f = back
    matrix = Matrix(a * k, -b * k, c_ * k, -d * k, e * k, (high - f) * k)
    return Sheet(np.asarray(pixels), dpi), matrix


def worst(found: Matrix, true: Matrix, sheet: Sheet) -> float:
    """Give the largest distance between two matrices over a picture, in mm."""
    corners = [(x, y) for x in (0, sheet.width) for y in (0, sheet.height)]
    return (
        max(float(np.hypot(*np.subtract(found.point(*at), true.point(*at)))) for at in corners)
        * 25.4
        / 72
    )
