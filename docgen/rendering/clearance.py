"""Where nothing may stand on a side: the places of its codes and of its reference."""

from collections.abc import Iterator
from typing import TypeAlias

from docgen.rendering.imposition import CODE_SIZE, MM, Imposition
from docgen.rendering.pictures import Grey
from docgen.rendering.symbols import MODULES, QUIET

Box: TypeAlias = tuple[float, float, float, float]  # left, bottom, right, top, in points
DPI = 100
PAPER = 250  # grey level from which a pixel is bare paper
STRIP = (34 * MM, 11.5 * MM, 15 * MM)  # from x, between two heights: the press's reference


def kept_clear(imposition: Imposition) -> Iterator[Box]:
    """Give the rectangles of a side that belong to the press, quiet zones with them."""
    quiet = CODE_SIZE / MODULES * QUIET
    for _, x, y in imposition.code_corners():
        yield x - quiet, y - quiet, x + CODE_SIZE + quiet, y + CODE_SIZE + quiet
    left, bottom, top = STRIP
    yield left, bottom, imposition.width - left / 4, top


def has_ink(picture: Grey, height: float, box: Box) -> bool:
    """Tell whether anything stands in a box of a page, drawn at `DPI` and that high in points."""
    left, bottom, right, top = (edge * DPI / 72 for edge in box)
    foot = height * DPI / 72
    rows = slice(max(0, round(foot - top)), max(0, round(foot - bottom)))
    columns = slice(max(0, round(left)), max(0, round(right)))
    return bool((picture[rows, columns] < PAPER).any())
