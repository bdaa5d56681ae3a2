"""Where pages and codes stand on the sides of paper.

Pages become sides: one to a side, or two to a landscape side (reduction). Lengths in points.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from docgen.manifest import Layout, Manifest
from docgen.rendering.form import Form

MM = 72 / 25.4
CODE_SIZE = (
    18 * MM
)  # measured: reference table in docs/decisions, 18 mm reads after stamps and pens
CODE_MARGIN = 12 * MM  # from the paper's edges: a code nearer is cut off at 3 degrees of skew
TEXT_MARGIN = 27  # mm, left and right of the text block on a page: the contract of templates
GUTTER = 10  # mm between the text blocks of two reduced pages
REDUCTION = 0.5**0.5  # A4 to A5


@dataclass(frozen=True, slots=True)
class Placement:
    """A page (counted from 0) on a side: scaled, then moved."""

    page: int
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class Imposition:
    """The sides of a document, the size of a side, and how its sheets are turned over."""

    sides: tuple[tuple[Placement, ...], ...]
    width: float
    height: float
    flip: str
    codes: int = 2

    @property
    def sheets(self) -> int:
        """How many sheets a document takes, printed on both sides."""
        return -(-len(self.sides) // 2)

    def code_corners(self) -> list[tuple[int, float, float]]:
        """Give each code's corner number and its bottom left point on a side."""
        far_x = self.width - CODE_MARGIN - CODE_SIZE
        far_y = self.height - CODE_MARGIN - CODE_SIZE
        corners = [(0, far_x, far_y), (1, CODE_MARGIN, CODE_MARGIN), (2, CODE_MARGIN, far_y)]
        return corners[: self.codes]


@dataclass(frozen=True, slots=True)
class SideZone:
    """A zone that somebody signs, on a side counted from 1; points from its bottom left."""

    name: str
    side: int
    x: float
    y: float
    width: float
    height: float


def zones_on_sides(form: Form, imposition: Imposition, variant: str) -> list[SideZone]:
    """Give the zones of a variant where they stand on the sides of paper."""
    return [
        SideZone(
            *(zone.name, side, place.x + zone.x * place.scale, place.y + zone.y * place.scale),
            *(zone.width * place.scale, zone.height * place.scale),
        )
        for side, placements in enumerate(imposition.sides, 1)
        for place in placements
        for zone in form.variants[variant].zones
        if zone.page == place.page
    ]


def sides_needed(manifest: Manifest, count: int, zones: Iterable[SideZone]) -> list[int]:
    """List the sides that must come home, of so many: what the manifest returns.

    All of them, or those where a required signature stands; without any, all of them again.
    """
    required = {zone.name for zone in manifest.signatures if zone.required}
    signed = sorted({zone.side for zone in zones if zone.name in required})
    everything = list(range(1, count + 1))
    return signed if manifest.returns == "signed" and signed else everything


def impose(form: Form, layout: Layout, codes: int = 2) -> Imposition:
    """Place the pages of a layout on sides of A4; a layout of free length has the form's pages.

    Reduced pages are moved towards the middle of the sheet, so that the codes stand in the outer
    margins, clear of the text.
    """
    pages = range(layout.pages or len(next(iter(form.variants.values())).pages))
    if layout.per_side == 1:
        whole = tuple((Placement(page),) for page in pages)
        return Imposition(whole, form.width, form.height, "grand côté", codes)
    width, height = form.height, form.width
    text = form.width - 2 * TEXT_MARGIN * MM
    left = width / 2 - GUTTER / 2 * MM - (TEXT_MARGIN * MM + text) * REDUCTION
    right = width / 2 + GUTTER / 2 * MM - TEXT_MARGIN * MM * REDUCTION
    bottom = (height - form.height * REDUCTION) / 2
    sides = tuple(
        tuple(
            Placement(page, REDUCTION, x, bottom)
            for page, x in ((first, left), (first + 1, right))
            if page in pages
        )
        for first in pages[::2]
    )
    return Imposition(sides, width, height, "petit côté", codes)
