"""Values into a form, at print speed: one small content stream per side.

What is the same for everybody is drawn once per file: static pages come from the compiled form,
run constants (school, head) are added to them in a layer. A side then holds a reference to its
layer, the person's shaped values, its codes and its reference.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from docgen.errors import MissingGlyph, Problem
from docgen.manifest import Manifest
from docgen.rendering.fonts import above_baseline
from docgen.rendering.form import Form, FormPage, Slot
from docgen.rendering.imposition import CODE_SIZE, MM, TEXT_MARGIN, Imposition, Placement
from docgen.rendering.pdf import number
from docgen.rendering.symbols import MODULES
from docgen.rendering.typesetting import Typesetter, does_not_fit

REFERENCE_SIZE = 9.0  # pt: read exactly by OCR at 200 and 300 dpi (reference/scanning.md)
REFERENCE_AT = (34 * MM, 12 * MM)  # beside the bottom left code, past its quiet zone
RULE_WIDTH = 0.4  # pt, as in slots.css
RULE = b"%b w 0.33 G " % number(RULE_WIDTH)  # the line to write on where there is no value
IMAGE = b"BI/W %d/H %d/BPC 1/IM true" % (MODULES, MODULES)


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
    """A slot made ready: what does not depend on the value is written once."""

    field: str
    width: float
    lines: int
    slot: Slot
    matrix: bytes
    rules: bytes


class Filler:
    """Fills one form for one run: the same school, the same layout, the same file."""

    def __init__(
        self,
        form: Form,
        imposition: Imposition,
        manifest: Manifest,
        typesetter: Typesetter,
        constants: Mapping[str, str],
    ) -> None:
        self.imposition = imposition
        self.setter = typesetter
        self.unfit: list[Problem] = []
        self.missing: list[Problem] = []
        self.layers: dict[bytes, bytes] = {}  # content of a layer: its name
        self._labels = {field.name: field.label for field in manifest.fields}
        self._pages = {
            (name, index): self._prepare(page, constants)
            for name, variant in form.variants.items()
            for index, page in enumerate(variant.pages)
        }
        size = number(CODE_SIZE)
        self._corners = [
            b"q %b 0 0 %b %b %b cm\n" % (size, size, number(x), number(y))
            for _, x, y in imposition.code_corners()
        ]
        self._reference = b"BT/F 1 Tf %b" % _matrix(REFERENCE_SIZE, *REFERENCE_AT)

    def side(self, copy: Copy, side: int, codes: Sequence[bytes]) -> bytes:
        """Give the content of one side, from 0; what cannot be set is gathered apart."""
        parts: list[bytes] = []
        for placement in self.imposition.sides[side]:
            layer, places = self._pages[copy.variant, placement.page]
            drawn = self._drawn(places, copy.values, copy.where)
            parts += _placed(placement, b"/%b Do\n%b" % (layer, drawn))
        for corner, code in zip(self._corners, codes, strict=True):
            parts += (corner, _image(code))
        mark = f"   {copy.mark}" if copy.mark else ""
        line = f"{copy.reference}   {side + 1}/{len(self.imposition.sides)}{mark}"
        parts += (self._reference, self.setter.shape(line).shown, b"ET")
        return b"".join(parts)

    def _prepare(self, page: FormPage, constants: Mapping[str, str]) -> tuple[bytes, list[Place]]:
        places = [
            Place(
                slot.field,
                slot.width / slot.size,
                slot.lines,
                slot,
                _matrix(slot.size, slot.x, slot.y),
                _rules(slot),
            )
            for slot in page.slots
        ]
        fixed = [place for place in places if place.field in constants]
        content = b"/P%d Do\n%b" % (page.xobject, self._drawn(fixed, constants, "établissement"))
        name = self.layers.setdefault(content, b"L%d" % len(self.layers))
        return name, [place for place in places if place.field not in constants]

    def _drawn(self, places: Iterable[Place], values: Mapping[str, str], where: str) -> bytes:
        texts: list[bytes] = []
        rules: list[bytes] = []
        for place in places:
            if value := values.get(place.field, ""):
                texts += self._set(place, value, where)
            else:
                rules.append(place.rules)
        drawn = b"BT/F 1 Tf %bET\n" % b"".join(texts) if texts else b""
        return drawn + RULE + b"".join(rules) if rules else drawn

    def _set(self, place: Place, value: str, where: str) -> Iterator[bytes]:
        label = self._labels[place.field]
        try:
            setting = self.setter.fit(value, place.width, place.lines)
        except MissingGlyph as error:
            what = f"« {label} » : {error.problems[0].what}"
            self.missing.append(Problem(what, where, "Vérifiez ce caractère dans le fichier."))
            return
        if setting is None:
            self.unfit.append(does_not_fit(label, value, where))
            return
        slot = place.slot
        for line, text in enumerate(setting.lines):
            if line or setting.share != 1.0:
                size = slot.size * setting.share
                yield _matrix(size, slot.x, slot.y - line * slot.leading)
            else:
                yield place.matrix
            yield self.setter.shape(text).shown


def _matrix(size: float, x: float, y: float) -> bytes:
    return b"%b 0 0 %b %b %b Tm" % (number(size), number(size), number(x), number(y))


def _rules(slot: Slot) -> bytes:
    """Draw a line to write on at the foot of each line of a slot."""
    left, right = number(slot.x), number(slot.x + slot.width)
    foot = slot.y + above_baseline(slot.size, slot.leading) - slot.leading + RULE_WIDTH / 2
    heights = (foot - line * slot.leading for line in range(slot.lines))
    return b"".join(
        b"%b %b m %b %b l S\n" % (left, height, right, height) for height in map(number, heights)
    )


def _placed(placement: Placement, content: bytes) -> tuple[bytes, ...]:
    if placement.scale == 1.0:
        return (content,)
    scale = b"%.5f" % placement.scale
    matrix = (scale, scale, number(placement.x), number(placement.y))
    return (b"q %b 0 0 %b %b %b cm\n" % matrix, content, b"Q\n")


def _image(code: bytes) -> bytes:
    # The two letters that end inline data must not stand in it: then it is written in hexadecimal.
    if b"EI" in code:
        return b"%b/F/AHx ID %b>\nEI Q\n" % (IMAGE, code.hex().encode())
    return b"%b ID %b\nEI Q\n" % (IMAGE, code)


def centred(setter: Typesetter, text: str, size: float, width: float, y: float) -> bytes:
    """Draw a line in the middle of a side, shrunk when it is wider than the side's text."""
    run = setter.shape(text)
    size = min(size, (width - 2 * TEXT_MARGIN * MM) / run.width)
    return b"BT/F 1 Tf %b%bET\n" % (_matrix(size, (width - run.width * size) / 2, y), run.shown)
