"""Page codes on a document that another program laid out: its pages make room for them.

Nothing of it is made again: its text, its tags (PDF/UA), its fonts, its pictures and their colours
are those that were there. Every side is an upright A4. Pages are drawn smaller, all alike, when
something stands where a code or the reference goes.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any, NamedTuple, Self

from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    PdfObject,
)

from docgen.errors import LayoutOverflows, Problem
from docgen.manifest import MOST_SIDES, Manifest
from docgen.pagecode import Key
from docgen.rendering import pictures
from docgen.rendering.clearance import DPI, Box, has_ink, kept_clear
from docgen.rendering.filling import Copy
from docgen.rendering.form import Form, FormPage, FormVariant
from docgen.rendering.imposition import MM, Imposition, Placement
from docgen.rendering.printfile import Document, Run, bind
from docgen.rendering.symbols import SymbolTable
from docgen.rendering.typesetting import Typesetter

WIDTH, HEIGHT = 210 * MM, 297 * MM
# The last one leaves 33 mm on the left and on the right: a whole page stands between the codes.
SCALES = (1.0, *(percent / 100 for percent in range(95, 67, -1)))
NOTHING = (
    b"1 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 1 1]/Length 0>>stream\n\nendstream\nendobj\n"
)
CODES = "/DocgenCodes"
# Codes are no part of what is read aloud (ISO 14289-1, 7.1).
DRAWN = b"\nQ\n/Artifact<</Type/Pagination>>BDC\nq %b Do Q\nEMC\n" % CODES.encode()
OTHER_BOXES = ("/CropBox", "/TrimBox", "/BleedBox", "/ArtBox", "/Rotate")
XMP_DATE = re.compile(rb"(<xmp:(\w+)Date>)[^<]*(</xmp:\2Date>)")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the codes of a template's documents are drawn with."""

    manifest: Manifest
    key: Key
    symbols: SymbolTable
    typesetter: Typesetter = field(default_factory=Typesetter)


class Matrix(NamedTuple):
    """From a page to its side, as PDF writes it (ISO 32000-2, 8.3.4); no page is skewed."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    @classmethod
    def placing(cls, box: Box, scale: float) -> Self:
        """Place a page in the middle of an upright A4: turned when it lies, reduced to fit."""
        left, bottom, right, top = box
        width, height = right - left, top - bottom
        is_lying = width > height
        across, upward = (height, width) if is_lying else (width, height)
        # To a thousandth: other programs' A4 is a hair wider.
        scale *= round(min(1.0, WIDTH / across, HEIGHT / upward), 3)
        middle = (left + right) / 2, (bottom + top) / 2
        a, b, c, d = (0.0, scale, -scale, 0.0) if is_lying else (scale, 0.0, 0.0, scale)
        x, y = a * middle[0] + c * middle[1], b * middle[0] + d * middle[1]
        return cls(a, b, c, d, WIDTH / 2 - x, HEIGHT / 2 - y)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Give where a point of the page stands on its side."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def box(self, box: Box) -> Box:
        """Give where a rectangle of the page stands on its side."""
        (x1, y1), (x2, y2) = self.point(*box[:2]), self.point(*box[2:])
        return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)

    def back(self, box: Box) -> Box:
        """Give what of the page stands in a rectangle of its side."""
        area = self.a * self.d - self.b * self.c
        a, b, c, d = self.d / area, -self.b / area, -self.c / area, self.a / area
        x, y = -(a * self.e + c * self.f), -(b * self.e + d * self.f)
        return Matrix(a, b, c, d, x, y).box(box)


class Pages:
    """The pages of a PDF, to be stamped once."""

    def __init__(self, content: bytes, where: str = "") -> None:
        """Open a PDF; `where` names its person in problems.

        Raises:
            LayoutOverflows: for more sides than a page code can count.
        """
        self._content = content
        self._writer = PdfWriter(clone_from=BytesIO(content))
        self._writer.pdf_header = "%PDF-1.7"
        self._boxes = [_box(page.mediabox) for page in self._writer.pages]
        self.sides = len(self._boxes)
        if self.sides > MOST_SIDES:
            what = f"{self.sides} faces, pour {MOST_SIDES} au plus."
            raise LayoutOverflows(Problem(what, where, "Raccourcissez le modèle."))

    def stamped(self, stamp: Stamp, number: bytes, reference: str, on: date) -> bytes:
        """Give the document with two codes and its reference on every side, dated of that day."""
        sides = tuple((Placement(0),) for _ in self._boxes)
        imposition = Imposition(sides, WIDTH, HEIGHT, "grand côté", stamp.manifest.codes)
        matrices = self._matrices(imposition)
        codes = _codes(stamp, imposition, number, reference)
        for page, box, matrix, sheet in zip(
            self._writer.pages, self._boxes, matrices, codes.pages, strict=True
        ):
            self._place(page, box, matrix, sheet)
        self._move_destinations(matrices)
        self._date(on)
        root = self._writer.root_object
        wishes = DictionaryObject(root.get("/ViewerPreferences", DictionaryObject()).get_object())
        _set(wishes, "/Duplex", NameObject("/DuplexFlipLongEdge"))
        _set(wishes, "/PrintScaling", NameObject("/None"))
        _set(root, "/ViewerPreferences", wishes)
        return self._written()

    def _matrices(self, imposition: Imposition) -> list[Matrix]:
        """Choose the largest scale at which nothing stands where codes go, on any side."""
        drawn = list(pictures.greys(self._content, DPI))
        clear = list(kept_clear(imposition))
        for scale in SCALES:
            matrices = [Matrix.placing(box, scale) for box in self._boxes]
            if not any(
                has_ink(picture, box[3] - box[1], _from_corner(box, matrix.back(place)))
                for picture, box, matrix in zip(drawn, self._boxes, matrices, strict=True)
                for place in clear
            ):
                break
        return matrices

    def _place(self, page: Any, box: Box, matrix: Matrix, sheet: Any) -> None:  # noqa: ANN401
        left, bottom, right, top = (f"{edge:.3f}" for edge in box)
        clip = f"{left} {bottom} {float(right) - float(left):.3f} {float(top) - float(bottom):.3f}"
        moved = " ".join(f"{value:.5f}" for value in matrix)
        before = self._stream(f"q {moved} cm {clip} re W n\n".encode())
        contents = page.raw_get("/Contents")
        inner = contents.get_object()
        parts = list(inner) if isinstance(inner, ArrayObject) else [contents]
        _set(page, "/Contents", ArrayObject([before, *parts, self._stream(DRAWN)]))
        resources = DictionaryObject(page["/Resources"].get_object())  # pages may share it
        objects = DictionaryObject(resources.get("/XObject", DictionaryObject()).get_object())
        _set(objects, CODES, self._form(sheet))
        _set(resources, "/XObject", objects)
        _set(page, "/Resources", resources)
        for other in OTHER_BOXES:
            page.pop(other, None)
        _set(page, "/MediaBox", _array((0, 0, WIDTH, HEIGHT)))
        for annotation in page.get("/Annots", ()):
            held = annotation.get_object()
            _set(held, "/Rect", _array(matrix.box(_box(held["/Rect"]))))

    def _form(self, sheet: Any) -> PdfObject:  # noqa: ANN401
        """Copy a side's codes as one drawing; all of them share their font."""
        form = DecodedStreamObject()
        form.set_data(sheet.get_contents().get_data())
        _set(form, "/Type", NameObject("/XObject"))
        _set(form, "/Subtype", NameObject("/Form"))
        _set(form, "/BBox", _array((0, 0, WIDTH, HEIGHT)))
        _set(form, "/Resources", sheet.raw_get("/Resources").clone(self._writer))
        return self._writer._add_object(form.flate_encode(9))

    def _stream(self, content: bytes) -> PdfObject:
        stream = DecodedStreamObject()
        stream.set_data(content)
        return self._writer._add_object(stream)

    def _move_destinations(self, matrices: list[Matrix]) -> None:
        """Let bookmarks and links lead where the text now stands."""
        pages = (page.indirect_reference for page in self._writer.pages)
        by_page = {page.idnum: matrix for page, matrix in zip(pages, matrices, strict=True) if page}
        for value in (found for each in self._writer._objects for found in _inside(each)):
            if isinstance(value, ArrayObject) and len(value) == 5 and value[1] == "/XYZ":
                matrix = by_page.get(getattr(value[0], "idnum", 0))
                if matrix and all(isinstance(each, int | float) for each in value[2:4]):
                    value[2:4] = _array(matrix.point(float(value[2]), float(value[3])))

    def _date(self, on: date) -> None:
        """Put a day where the clock stands: same inputs, same bytes."""
        self._writer.add_metadata({"/CreationDate": f"D:{on:%Y%m%d}000000Z"})
        metadata = self._writer.root_object.get("/Metadata")
        if metadata is not None:
            told = rb"\g<1>%b\g<3>" % f"{on.isoformat()}T00:00:00Z".encode()
            stream = metadata.get_object()
            stream.set_data(XMP_DATE.sub(told, stream.get_data()))

    def _written(self) -> bytes:
        blank = ByteStringObject(bytes(16))
        self._writer._ID = ArrayObject((blank, blank))
        stream = BytesIO()
        self._writer.write(stream)
        content, _, trailer = stream.getvalue().rpartition(b"trailer")
        # From the content, so that the same paper is the same file (ISO 32000-2, 14.4).
        identity = hashlib.sha256(content).hexdigest()[:32].encode()
        return content + b"trailer" + trailer.replace(b"0" * 32, identity)


def _codes(stamp: Stamp, imposition: Imposition, number: bytes, reference: str) -> PdfReader:
    """Print the codes and the reference alone, as the press does, on sides that hold nothing."""
    variant = FormVariant((FormPage(1, ()),), ())
    form = Form("", WIDTH, HEIGHT, {"": variant}, NOTHING, (0,))
    run = Run(
        *(stamp.manifest, form, imposition, {}, stamp.key, stamp.symbols),
        typesetter=stamp.typesetter,
        padded=False,
    )
    content = BytesIO()
    bind(run, [Document("", "", "", number, Copy("", "", {}, reference))], content)
    return PdfReader(content)


def _inside(value: Any) -> Iterator[Any]:  # noqa: ANN401
    """Give an object and all that is written in it, other objects excepted."""
    yield value
    held = value.values() if isinstance(value, DictionaryObject) else value
    if isinstance(value, DictionaryObject | ArrayObject):
        for each in held:
            yield from _inside(each)


def _from_corner(page: Box, box: Box) -> Box:
    """Give a rectangle of a page from its bottom left corner."""
    left, bottom = page[:2]
    return box[0] - left, box[1] - bottom, box[2] - left, box[3] - bottom


def _box(rectangle: Any) -> Box:  # noqa: ANN401
    x1, y1, x2, y2 = (float(value) for value in rectangle)
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _array(values: Any) -> ArrayObject:  # noqa: ANN401
    return ArrayObject(FloatObject(round(value, 3)) for value in values)


def _set(target: Any, key: str, value: Any) -> None:  # noqa: ANN401
    target[NameObject(key)] = value
