"""Values into a form, at print speed: one small content stream per side.

A side's page has two content streams, read one after the other (ISO 32000-2, 7.8.2). The first,
its base, is shared by all documents: static pages of the compiled form, values that are the same
for the whole run (school, head), and the state in which the second goes on. The second holds what
is this document's own: its reference, its values, its codes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from docgen.errors import MissingGlyph, Problem
from docgen.manifest import Manifest
from docgen.rendering.fonts import above_baseline
from docgen.rendering.form import Form, Slot
from docgen.rendering.imposition import CODE_SIZE, MM, TEXT_MARGIN, Imposition, Placement
from docgen.rendering.pdf import number
from docgen.rendering.symbols import MODULES
from docgen.rendering.typesetting import Typesetter, does_not_fit

REFERENCE_SIZE = 9.0  # pt: read exactly by OCR at 200 and 300 dpi (reference/scanning.md)
REFERENCE_AT = (34 * MM, 12 * MM)  # beside the bottom left code, past its quiet zone
RULE_WIDTH = 0.4  # pt, as in slots.css
RULE_RISE = 0.12  # em above the foot of the line, as in slots.css
RULE = b".33 g "  # the line to write on where there is no value
IMAGE = b"BI/W %d/H %d/IM true" % (MODULES, MODULES)


@dataclass(frozen=True, slots=True)
class Copy:
    """One document to fill: whose it is, its values, and what identifies it on paper.

    `where` names the person by an internal identifier in messages; `mark` is the mark of a copy.
    """

    where: str
    variant: str
    values: Mapping[str, str]
    reference: str
    mark: str = ""


class Place(NamedTuple):
    """A slot on a side: `width` in em, the rest in points; what needs no value is written once."""

    field: str
    width: float
    lines: int
    x: float
    y: float
    size: float
    leading: float
    matrix: bytes
    rules: bytes


class Filler:
    """Fills one form for one run: the same school, the same layout, the same file.

    `bases` holds the shared content of sides; what cannot be set is gathered in `unfit` and
    `missing`, all of it, and then the file must not be used.
    """

    def __init__(
        self,
        form: Form,
        imposition: Imposition,
        manifest: Manifest,
        typesetter: Typesetter,
        constants: Mapping[str, str],
    ) -> None:
        self.setter = typesetter
        self.unfit: list[Problem] = []
        self.missing: list[Problem] = []
        self.bases: list[bytes] = []
        self._labels = {field.name: field.label for field in manifest.fields}
        self._form = form
        self._constants = constants
        self._sides = {
            (variant, side): self._prepare(variant, placements)
            for variant in form.variants
            for side, placements in enumerate(imposition.sides)
        }
        self._of = f"/{len(imposition.sides)}"
        self._corners = list(_corner_moves(imposition))

    def base(self, variant: str, side: int) -> int:
        """Give the index in `bases` of the base of a side, from 0."""
        return self._sides[variant, side][0]

    def side(self, copy: Copy, side: int, codes: Sequence[bytes]) -> bytes:
        """Give the content of one side, from 0, that goes on from its base."""
        _, places = self._sides[copy.variant, side]
        parts = [*self._reference(copy, side), *self._drawn(places, copy.values, copy.where)]
        for corner, code in zip(self._corners, codes, strict=True):
            parts += (corner, _image(code))
        return b"".join(parts)

    def cannot_draw(self, label: str, where: str, error: MissingGlyph) -> None:
        """Note a character that the font does not have."""
        what = f"« {label} » : {error.problems[0].what}"
        self.missing.append(Problem(what, where, "Vérifiez ce caractère dans le fichier."))

    def _reference(self, copy: Copy, side: int) -> Iterator[bytes]:
        """Show the reference, shaped once a document, then the side and the mark of the copy."""
        if copy.reference:
            mark = f"   {copy.mark}" if copy.mark else ""
            yield self.setter.shape(copy.reference).shown
            yield self.setter.shape(f"   {side + 1}{self._of}{mark}").shown

    def _prepare(self, variant: str, placements: Iterable[Placement]) -> tuple[int, list[Place]]:
        content: list[bytes] = []
        places: list[Place] = []
        for placement in placements:
            page = self._form.variants[variant].pages[placement.page]
            content.append(_placed(placement, page.xobject))
            places += (_place(slot, placement) for slot in page.slots)
        fixed = [place for place in places if place.field in self._constants]
        content += (b"BT/F 1 Tf\n", *self._drawn(fixed, self._constants, "établissement"))
        content.append(b"BT/F 1 Tf " + _matrix(REFERENCE_SIZE, *REFERENCE_AT) + b"\n")
        base = b"".join(content)
        if base not in self.bases:
            self.bases.append(base)
        own = [place for place in places if place.field not in self._constants]
        return self.bases.index(base), own

    def _drawn(
        self, places: Iterable[Place], values: Mapping[str, str], where: str
    ) -> Iterator[bytes]:
        """Draw values in a text object that is open, close it, then draw lines to write on."""
        rules = [RULE]
        for place in places:
            if value := values.get(place.field, ""):
                yield from self._set(place, value, where)
            else:
                rules.append(place.rules)
        yield b"ET\n"
        if len(rules) > 1:
            yield from rules
            yield b"0 g\n"

    def _set(self, place: Place, value: str, where: str) -> Iterator[bytes]:
        label = self._labels[place.field]
        try:
            setting = self.setter.fit(value, place.width, place.lines)
        except MissingGlyph as error:
            self.cannot_draw(label, where, error)
            return
        if setting is None:
            self.unfit.append(does_not_fit(label, value, where))
            return
        for line, run in enumerate(setting.lines):
            if line or setting.share != 1.0:
                size = place.size * setting.share
                yield _matrix(size, place.x, place.y - line * place.leading)
            else:
                yield place.matrix
            yield run.shown


def _place(slot: Slot, placement: Placement) -> Place:
    """Move a slot from its page to a side."""
    scale = placement.scale
    x, y = placement.x + slot.x * scale, placement.y + slot.y * scale
    size, leading = slot.size * scale, slot.leading * scale
    width = slot.width / slot.size
    foot = y + above_baseline(size, leading) - leading + RULE_RISE * size
    box = (number(width * size), number(RULE_WIDTH * scale))
    # Every other line, from the last: a hand writes larger.
    heights = (number(foot - line * leading) for line in range(slot.lines - 1, -1, -2))
    rules = b"".join(b"%b %b %b %b re f\n" % (number(x), height, *box) for height in heights)
    matrix = _matrix(size, x, y)
    return Place(slot.field, width, slot.lines, x, y, size, leading, matrix, rules)


def _matrix(size: float, x: float, y: float) -> bytes:
    return b"%b 0 0 %b %b %b Tm" % (number(size), number(size), number(x), number(y))


def _placed(placement: Placement, xobject: int) -> bytes:
    if placement.scale == 1.0:
        return b"/P%d Do\n" % xobject
    scale = b"%.5f" % placement.scale
    x, y = number(placement.x), number(placement.y)
    return b"q %b 0 0 %b %b %b cm/P%d Do Q\n" % (scale, scale, x, y, xobject)


def _corner_moves(imposition: Imposition) -> Iterator[bytes]:
    """Give what moves from one code to the next: to the first, then by multiples of a code."""
    last_x, last_y, unit = 0.0, 0.0, 1.0
    for _, x, y in imposition.code_corners():
        size = b"1" if unit != 1.0 else number(CODE_SIZE)
        move = (size, size, _ratio((x - last_x) / unit), _ratio((y - last_y) / unit))
        yield b"%b 0 0 %b %b %b cm " % move
        last_x, last_y, unit = x, y, CODE_SIZE


def _ratio(value: float) -> bytes:
    return f"{value:.3f}".rstrip("0").rstrip(".").encode()


def _image(code: bytes) -> bytes:
    # The two letters that end inline data must not stand in it: then it is written in hexadecimal.
    if b"EI" in code:
        return b"%b/F/AHx ID %b>\nEI\n" % (IMAGE, code.hex().encode())
    return b"%b ID %b\nEI\n" % (IMAGE, code)


def centred(setter: Typesetter, text: str, size: float, width: float, y: float) -> bytes:
    """Draw a line in the middle of a side, shrunk when it is wider than the side's text."""
    run = setter.shape(text)
    size = min(size, (width - 2 * TEXT_MARGIN * MM) / run.width)
    left = (width - run.width * size) / 2
    return b"BT/F 1 Tf %b%bET\n" % (_matrix(size, left, y), run.shown)
