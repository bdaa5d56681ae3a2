"""Paper in, scanned images out: what comes home from schools, simulated.

A `Paper` is one printed side. A `Recipe` says what happens to it and how it is scanned; `scan`
does it, and its `Truth` says what was done. The same generator gives the same image. Recipes are
drawn by the `FAMILIES`, and by the two populations of reference/scanning.md: `mixed`, `office`.
What else is found in piles comes from `samples.scanning_strangers`, and files are written by
`samples.scanning_files`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from PIL import Image

from docgen.rendering.imposition import CODE_SIZE, SideZone, zones_on_sides
from docgen.rendering.pictures import greys
from docgen.rendering.printfile import Document, Run, bind
from samples import scanning_glass as glass
from samples import scanning_paper as paperwork
from samples.scanning_paper import MM, Pixels
from samples.scanning_recipes import FAMILIES, Damage, Recipe, mixed, office

__all__ = [
    "FAMILIES",
    "Damage",
    "Paper",
    "Recipe",
    "Scan",
    "Truth",
    "mixed",
    "office",
    "print_out",
    "scan",
    "sign",
]

PRINT_DPI = 300
POINTS = 72.0
SHARP = 0.25  # pixels of blur that nobody sees
EXIF_TURNS = {1: 0, 6: 90, 3: 180, 8: 270}  # orientation tag: degrees clockwise to stand upright
Box: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True)
class Truth:
    """What an image shows. `rotation`: degrees clockwise until it stands upright, as stored.

    `kind`: known, or what `samples.scanning_strangers` made: blank, line (a back with one line by
    hand), foreign, edited, note (a delivery note with codes of its own) or letter (without any).
    """

    kind: str
    document: str
    side: int
    sides: int
    rotation: int
    skew: float
    dpi: int
    family: str
    done: tuple[str, ...]
    signed: tuple[str, ...]


@dataclass
class Paper:
    """One printed side, upright, in grey at 300 dpi. Codes are (x, y, size) in points, by corner.

    Points are counted from the bottom left, as in PDF; `zones` are those signed on this side.
    """

    picture: Pixels
    document: str = ""
    side: int = 0
    sides: int = 0
    codes: dict[int, Box] = field(default_factory=dict)
    zones: tuple[SideZone, ...] = ()
    kind: str = "known"
    _sizes: dict[int, Pixels] = field(default_factory=dict, repr=False)

    def at(self, dpi: int) -> Pixels:
        """Give the side at another resolution; each is made once."""
        if dpi == PRINT_DPI:
            return self.picture
        if dpi not in self._sizes:
            height, width = (round(length * dpi / PRINT_DPI) for length in self.picture.shape)
            small = Image.fromarray(self.picture).resize((width, height), Image.Resampling.BOX)
            self._sizes[dpi] = np.asarray(small)
        return self._sizes[dpi]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Give a point of the side in millimetres from its top left."""
        return x * MM / POINTS, self.picture.shape[0] * MM / PRINT_DPI - y * MM / POINTS

    def centre(self, corner: int) -> tuple[float, float]:
        """Give the middle of a code, or of where one would stand, in mm from the top left."""
        if corner in self.codes:
            x, y, size = self.codes[corner]
            return self.place(x + size / 2, y + size / 2)
        height, width = (length * MM / PRINT_DPI for length in self.picture.shape)
        return ((width - 21, 21.0), (21.0, height - 21), (21.0, 21.0))[corner]


@dataclass(frozen=True)
class Scan:
    """One scanned image, how it is to be stored, and what it shows."""

    image: Image.Image
    dpi: int
    quality: int
    orientation: int
    truth: Truth


def print_out(run: Run, documents: Sequence[Document]) -> Iterator[Paper]:
    """Print documents and give their sides one by one, without the blank backs of padding."""
    content = BytesIO()
    volume = bind(run, documents, content)
    pages = [page for each in volume.documents for page in range(each.first - 1, each.last)]
    pictures = greys(content.getvalue(), PRINT_DPI, pages)
    codes = {corner: (x, y, CODE_SIZE) for corner, x, y in run.imposition.code_corners()}
    for each in volume.documents:
        number, sides = each.document.number.hex(), len(run.imposition.sides)
        zones = zones_on_sides(run.form, run.imposition, each.document.copy.variant)
        for side in range(1, sides + 1):
            here = tuple(zone for zone in zones if zone.side == side)
            yield Paper(next(pictures), number, side, sides, dict(codes), here)


def scan(
    paper: Paper,
    recipe: Recipe,
    rng: Generator,
    *,
    signed: Sequence[str] = (),
    marks: int = 0,
    behind: Paper | None = None,
) -> Scan:
    """Scan a side: sign the zones named, damage it, lay it on the glass, store its levels.

    `marks` small accidental marks fall on it; `behind` is the other side of its sheet.
    """
    dpi, in_colour = recipe.dpi, recipe.mode in ("colour", "phone")
    pixels = paper.at(dpi)
    if behind is not None and recipe.through:
        pixels = paperwork.shining_through(pixels, behind.at(dpi), recipe.through)
    if in_colour and (signed or recipe.damages or recipe.mode == "phone"):
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    for zone in paper.zones:
        if zone.name in signed:
            pixels = sign(pixels, paper, zone, dpi, rng)
    if marks:
        pixels = paperwork.specks(pixels, dpi, rng, marks, 1.0)
    for damage in recipe.damages:
        at = paper.centre(damage.corner)
        pixels = paperwork.DAMAGES[damage.what](pixels, dpi, at, rng, damage.ink)
    for _ in range(recipe.copies):
        pixels = paperwork.photocopied(pixels, dpi, rng)
    image = (
        _photograph(pixels, recipe, rng) if recipe.mode == "phone" else _glass(pixels, recipe, rng)
    )
    stored = EXIF_TURNS[recipe.orientation]
    image = glass.turned(image, -stored % 360) if stored else image
    truth = Truth(
        *(paper.kind, paper.document, paper.side, paper.sides, (stored - recipe.turn) % 360),
        *(recipe.skew, dpi, recipe.family),
        done=tuple(each.what for each in recipe.damages) + (("cut",) if recipe.cut else ()),
        signed=tuple(zone.name for zone in paper.zones if zone.name in signed),
    )
    return Scan(_levels(image, recipe), dpi, recipe.quality, recipe.orientation, truth)


def sign(pixels: Pixels, paper: Paper, zone: SideZone, dpi: int, rng: Generator) -> Pixels:
    """Sign in a zone: large or small, rarely outside of it, in blue or black, rarely a pencil."""
    left, top = paper.place(zone.x, zone.y + zone.height)
    wide, high = zone.width * MM / POINTS, zone.height * MM / POINTS
    width = min(wide * rng.uniform(0.4, 0.95), rng.uniform(14, 60))
    height = min(high * rng.uniform(0.4, 1.0), rng.uniform(6, 24))
    curve = paperwork.signature_curve(rng, width, height)
    curve += (left + rng.uniform(0, wide - width), top + rng.uniform(0, high - height))
    curve += rng.normal(0, 1.0, 2)
    ink = str(rng.choice(["blue", "black", "violet", "pencil"], p=[0.55, 0.38, 0.04, 0.03]))
    return paperwork.stroke(pixels, dpi, [curve], rng.uniform(0.25, 0.7), rng, ink=ink)


def _glass(pixels: Pixels, recipe: Recipe, rng: Generator) -> Pixels:
    if recipe.skew:
        shift = rng.normal(0, 1.2 * recipe.dpi / MM, 2)
        behind = int(rng.choice([255, 255, 235, 20]))
        pixels = glass.skewed(pixels, recipe.skew, (shift[0], shift[1]), behind)
    if recipe.cut:
        pixels = glass.cut(
            pixels, recipe.cut[0], recipe.dpi, recipe.cut[1], shrunk=rng.random() < 0.5
        )
    pixels = glass.turned(pixels, recipe.turn)
    if recipe.blur > SHARP:
        pixels = glass.blurred(pixels, recipe.blur)
    return glass.noisy(glass.faded(pixels, recipe.black, recipe.white), recipe.noise, rng)


def _photograph(pixels: Pixels, recipe: Recipe, rng: Generator) -> Pixels:
    pixels = glass.turned(pixels, recipe.turn)
    width = round(min(pixels.shape[:2]) * 1.1)
    pixels = glass.photographed(pixels, width, rng, recipe.tilt)
    if recipe.blur > SHARP:
        pixels = glass.blurred(pixels, recipe.blur)
    pixels = glass.cast(
        glass.lit(glass.faded(pixels, recipe.black, recipe.white), rng, recipe.shadow), rng
    )
    return glass.noisy(pixels, recipe.noise, rng)


def _levels(pixels: Pixels, recipe: Recipe) -> Image.Image:
    if recipe.mode == "bitonal":
        return Image.fromarray(glass.bitonal(pixels, recipe.threshold))
    image = Image.fromarray(pixels)
    if recipe.mode == "colour":
        return image.convert("RGB")
    return image.convert("1") if recipe.mode == "dithered" else image
