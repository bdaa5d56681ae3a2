"""What reading a scan tells, before anybody knows what was expected.

Pixels are counted from the top left of an image as it is stored, y downwards. Points (1/72 inch)
are counted from the bottom left of a side held upright, y upwards, as in PDF.
"""

from typing import Literal, NamedTuple, TypeAlias

import msgspec

Verdict: TypeAlias = Literal["coded", "bare", "blank", "unreadable", "inconsistent", "foreign"]


class Matrix(NamedTuple):
    """From pixels of an image to points of its side: (a x + c y + e, b x + d y + f)."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Give the point of the side where a pixel lies."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def inverse(self) -> "Matrix":
        """Give the matrix from points of the side to pixels of the image."""
        scale = self.a * self.d - self.b * self.c
        a, b, c, d = self.d / scale, -self.b / scale, -self.c / scale, self.a / scale
        return Matrix(a, b, c, d, -(a * self.e + c * self.f), -(b * self.e + d * self.f))


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """An authentic code on a side: what it says, and where it stands.

    `document` is the 6-byte number in hexadecimal; `quad` the corners of the symbol in pixels, in
    the order of its own reading: top left, top right, bottom right, bottom left.
    """

    document: str
    side: int
    sides: int
    corner: int
    quad: tuple[tuple[float, float], ...]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a scan, as read.

    `index` counts the sides of the file from 0; `clean_page` those of the part's clean copy.
    `verdict`: coded (one authentic code or several that agree), inconsistent (they do not),
    foreign (a code written as ours whose tag does not hold), bare (ink, and no code), blank, or
    unreadable (a code that cannot be read; an image that cannot be opened, or is too coarse).
    `matrix` is None without a code. `rotation` is by how many degrees, clockwise, the image is to
    be turned to stand upright; `skew` what remains, in degrees. `step` names the step of the
    cascade that read it; `ink` is the share of dark pixels, `quality` what tells the better of two
    scans of the same side (more is better). `reason` refines the verdict (see `sorting.REASONS`).
    `preview` is where its picture (JPEG, upright) stands in the part's previews: start and length.
    `strangers` counts symbols of another kind (a label, a bar code): told, never used.
    """

    index: int
    width: int
    height: int
    dpi: float
    verdict: Verdict
    reason: str = ""
    codes: tuple[Seen, ...] = ()
    strangers: int = 0
    matrix: Matrix | None = None
    rotation: int = 0
    skew: float = 0.0
    step: str = ""
    ink: float = 0.0
    quality: float = 0.0
    clean_page: int = 0
    preview: tuple[int, int] = (0, 0)
