"""Blank backs are told from backs that somebody wrote on, whatever a scanner adds."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from docgen.scanning import blanks
from docgen.scanning.blanks import Grey, ink, is_blank

DPI = 100
WIDTH, HEIGHT = 827, 1169


def paper(level: int = 245, noise: float = 3.0) -> Grey:
    levels = np.random.default_rng(2).normal(level, noise, (HEIGHT, WIDTH))
    return np.clip(levels, 0, 255).astype(np.uint8)


def drawn(*lines: tuple[float, ...], wide: int = 2, level: int = 60) -> Grey:
    """Draw lines in mm on paper."""
    image = Image.fromarray(paper())
    pen = ImageDraw.Draw(image)
    for line in lines:
        pen.line([mm / 25.4 * DPI for mm in line], fill=level, width=wide)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.5)))


def borders(pixels: Grey) -> Grey:
    """Add what scanners add: a black wedge along an edge, a thin line along another."""
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    draw.polygon([(0, 0), (WIDTH, 0), (WIDTH, 60), (0, 8)], fill=5)
    draw.line([(3, 0), (3, HEIGHT)], fill=0, width=3)
    return np.asarray(image)


def holes(pixels: Grey) -> Grey:
    """Punch two holes of 6 mm, 12 mm from the edge and 80 mm apart."""
    image = Image.fromarray(pixels)
    for middle in (108.5, 188.5):
        box = [mm / 25.4 * DPI for mm in (9, middle - 3, 15, middle + 3)]
        ImageDraw.Draw(image).ellipse(box, fill=10)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.5)))


def through(pixels: Grey) -> Grey:
    """Let lines of print shine through by up to 40 levels."""
    shadow = np.zeros((HEIGHT, WIDTH), np.int16)
    shadow[150:1000:12, 100:720] = 40
    return np.clip(pixels - shadow, 0, 255).astype(np.uint8)


def one_bit(pixels: Grey) -> Grey:
    """Keep black and white alone, with one pixel in five hundred turned black."""
    specks = np.random.default_rng(3).random(pixels.shape) < 0.002
    return np.where((pixels < 150) | specks, 0, 255).astype(np.uint8)


def uneven(pixels: Grey) -> Grey:
    """Light it from one side, as a photograph is."""
    return (pixels * np.linspace(0.75, 1, WIDTH)).astype(np.uint8)


ADDED = (borders, holes, through, one_bit, uneven)


@pytest.mark.parametrize("added", ADDED)
def test_what_a_scanner_adds_leaves_a_back_blank(added) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    assert is_blank(ink(paper(), DPI))
    assert is_blank(ink(added(paper()), DPI))


@pytest.mark.parametrize("added", ADDED)
@pytest.mark.parametrize(
    "lines",
    [
        [(60, 90, 85, 91), (60, 95, 80, 93)],  # a short line, or a signature
        [(100, 260, 110, 270), (110, 270, 125, 245)],  # a tick
    ],
)
def test_whatever_is_written_on_a_back_is_seen(added, lines: list[tuple[float, ...]]) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    assert not is_blank(ink(added(drawn(*lines)), DPI))


@pytest.mark.parametrize("dpi", [100, 200, 300])
def test_ink_is_the_same_at_any_resolution(dpi: int) -> None:
    image = Image.fromarray(drawn((60, 90, 120, 91), (60, 98, 120, 97)))
    scaled = image.resize((WIDTH * dpi // DPI, HEIGHT * dpi // DPI))
    assert ink(np.asarray(scaled), dpi) == pytest.approx(ink(np.asarray(image), DPI), rel=0.25)


def test_a_dark_side_is_never_blank() -> None:
    assert ink(paper(40), DPI) == 1.0
    half = paper()
    half[:, WIDTH // 2 :] = 30
    assert not is_blank(ink(half, DPI))


def test_tiny_pictures_have_an_answer() -> None:
    for size in ((1, 1), (3, 9), (40, 40)):
        assert ink(np.full(size, 250, np.uint8), DPI) == 0.0
    assert blanks.BLANK < 0.0003
