"""Compile a layout: WeasyPrint lays the text out once, pypdf reads where the values go."""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from io import BytesIO
from itertools import accumulate
from typing import Any, cast

from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
)

from docgen.errors import LayoutOverflows, Problem, TemplateRejected
from docgen.library import Template
from docgen.manifest import Layout
from docgen.rendering import flow
from docgen.rendering.fonts import above_baseline
from docgen.rendering.form import Form, FormPage, FormVariant, Slot, Zone

BOX_NAME = re.compile(r"(?P<zone>signature:)?(?P<name>[\w-]+)/(?P<lines>[1-9]\d*)")
FONT_USE = re.compile(rb"/(\S+) [\d.]+ Tf")
RGB_GREY = re.compile(rb"(?<![\d.])([\d.]+) \1 \1 (rg|RG)\b")
COLOUR = re.compile(rb"[\d.]+ [\d.]+ [\d.]+ (?:[\d.]+ )?(?:rg|RG|k|K)\b")
FONT_SIZE = re.compile(r"([\d.]+) Tf")


def compile_form(template: Template, layout: Layout, checksum: str) -> Form:
    """Lay out every variant of a layout and cut it into static pages and slots.

    Raises:
        LayoutOverflows: when a variant makes more or fewer pages than promised.
        TemplateRejected: when the body is faulty.
    """
    variants = template.manifest.variants
    documents = [flow.render(template, layout, each, flow.CompilePen()) for each in variants]
    counts = [len(document.pages) for document in documents]
    _keep_promise(template, layout, counts)
    # Laid out apart but written together, the variants share their fonts.
    together = documents[0].copy([page for document in documents for page in document.pages])
    reader = PdfReader(BytesIO(flow.written(together, pdf_forms=True)))
    pack = _Pack()
    pages = [_form_page(page, pack) for page in reader.pages]
    objects, offsets = pack.objects()
    box = reader.pages[0].mediabox
    forms: dict[str, FormVariant] = {}
    for variant, count in zip(variants, counts, strict=True):
        own, pages = pages[:count], pages[count:]
        zones = tuple(zone for index, (_, zones) in enumerate(own) for zone in zones(index))
        forms[variant.name] = FormVariant(tuple(page for page, _ in own), zones)
    _only_known(template, forms)
    size = (float(box.width), float(box.height))
    return Form(checksum, *size, forms, objects, offsets, grey=pack.grey)


def from_pdf(content: bytes) -> Form:
    """Make a form without slots of a whole document, so that codes can be put on its sides.

    Fields that tell where somebody signs become zones, and are dropped as when a form is compiled.
    """
    reader = PdfReader(BytesIO(content))
    pack = _Pack()
    laid_out = [_form_page(page, pack) for page in reader.pages]
    pages = tuple(FormPage(page.xobject, ()) for page, _ in laid_out)
    zones = tuple(zone for index, (_, zones) in enumerate(laid_out) for zone in zones(index))
    objects, offsets = pack.objects()
    box = reader.pages[0].mediabox
    variant = FormVariant(pages, zones)
    digest = sha256(content).hexdigest()
    return Form(digest, float(box.width), float(box.height), {"": variant}, objects, offsets)


def _keep_promise(template: Template, layout: Layout, counts: list[int]) -> None:
    problems = [
        Problem(
            f"{count} pages au lieu de {layout.pages}.",
            f"{template.manifest.slug}, {layout.base}, {variant.name}",
            "Revoyez le texte ou la feuille de style.",
        )
        for variant, count in zip(template.manifest.variants, counts, strict=True)
        if count != layout.pages
    ]
    if problems:
        raise LayoutOverflows(problems)


def _only_known(template: Template, variants: Mapping[str, FormVariant]) -> None:
    manifest = template.manifest
    known = {field.name for field in manifest.fields} | {z.name for z in manifest.signatures}
    found = {zone.name for variant in variants.values() for zone in variant.zones}
    for variant in variants.values():
        found.update(slot.field for page in variant.pages for slot in page.slots)
    if unknown := sorted(found - known):
        raise TemplateRejected(Problem(f"champ inconnu : {', '.join(unknown)}.", manifest.slug))


def _form_page(page: Any, pack: "_Pack") -> tuple[FormPage, Any]:  # noqa: ANN401
    slots: list[Slot] = []
    zones: list[tuple[str, tuple[float, float, float, float]]] = []
    for widget in _widgets(page):
        found = BOX_NAME.fullmatch(str(widget["/T"]))
        if not found:
            what = f"le champ de formulaire « {widget['/T']} » n’est pas un champ de fusion."
            raise TemplateRejected(Problem(what, remedy="Employez field() et signature()."))
        left, top, right, bottom = _box(widget)
        if found["zone"]:
            zones.append((found["name"], (left, bottom, right - left, top - bottom)))
        else:
            name, lines = found["name"], int(found["lines"])
            size = _font_size(widget, name)
            leading = (top - bottom) / lines
            baseline = top - above_baseline(size, leading)
            slots.append(Slot(name, left, baseline, right - left, size, leading, lines))

    def placed(index: int) -> Iterator[Zone]:
        return (Zone(name, index, *box) for name, box in zones)

    return FormPage(pack.add(page), tuple(slots)), placed


def _widgets(page: Any) -> Iterator[Any]:  # noqa: ANN401
    annotations = (reference.get_object() for reference in page.get("/Annots", ()))
    return (each for each in annotations if each.get("/Subtype") == "/Widget")


def _box(widget: Any) -> tuple[float, float, float, float]:  # noqa: ANN401
    x1, y1, x2, y2 = (float(value) for value in widget["/Rect"])
    return min(x1, x2), max(y1, y2), max(x1, x2), min(y1, y2)


def _font_size(widget: Any, name: str) -> float:  # noqa: ANN401
    found = FONT_SIZE.search(str(widget["/DA"]))
    if found is None:
        raise TemplateRejected(Problem("corps de caractère illisible.", f"champ {name}"))
    return float(found.group(1))


class _Pack:
    """Copies pages out of a PDF as Form XObjects, each distinct one once, numbered from 1."""

    def __init__(self) -> None:
        self._pages: dict[bytes, int] = {}
        self._numbers: dict[int, int] = {}
        self._bodies: list[bytes] = []
        self._fonts: set[str] = set()
        self.grey = True
        self._queue: list[tuple[int, PdfObject]] = []

    def add(self, page: Any) -> int:  # noqa: ANN401
        """Copy a page and give the number of its Form XObject."""
        content = page.get_contents().get_data()
        if content not in self._pages:
            self._pages[content] = self._later(_xobject(page, content))
            self._fonts.update(_fonts_used(content, page["/Resources"]))
        return self._pages[content]

    def objects(self) -> tuple[bytes, tuple[int, ...]]:
        """Give all the objects, one after the other, and where each one starts."""
        while self._queue:
            number, value = self._queue.pop(0)
            self._bodies[number - 1] = b"%d 0 obj%b\nendobj\n" % (number, self._written(value))
        ends = list(accumulate(map(len, self._bodies), initial=0))
        return b"".join(self._bodies), tuple(ends[:-1])

    def _later(self, value: PdfObject) -> int:
        self._bodies.append(b"")
        self._queue.append((len(self._bodies), value))
        return len(self._bodies)

    def _written(self, value: Any) -> bytes:  # noqa: ANN401
        if isinstance(value, IndirectObject):
            if value.idnum not in self._numbers:
                self._numbers[value.idnum] = self._later(cast(PdfObject, value.get_object()))
            return b" %d 0 R" % self._numbers[value.idnum]
        if isinstance(value, StreamObject):
            if value.get("/Subtype") == "/Form":
                drawing = greyed(value.get_data())
                self.grey = self.grey and not COLOUR.search(drawing)
                value = _form(value, drawing)
            data: bytes = value._data
            entries = {**value, "/Length": NumberObject(len(data))}
            return self._dictionary(entries) + b"stream\n" + data + b"\nendstream"
        if isinstance(value, DictionaryObject):
            return self._dictionary(value)
        if isinstance(value, ArrayObject):
            return b"[" + b"".join(b" " + self._written(item) for item in value) + b"]"
        content = BytesIO()
        value.write_to_stream(content)
        return b" " + content.getvalue()

    def _dictionary(self, entries: Mapping[str, PdfObject]) -> bytes:
        body = b"".join(
            key.encode() + (self._kept_fonts(entry) if key == "/Font" else self._written(entry))
            for key, entry in entries.items()
        )
        return b"<<" + body + b">>"

    def _kept_fonts(self, fonts: Any) -> bytes:  # noqa: ANN401
        """Write the fonts that are used: form fields bring the whole font of the values."""
        fonts = fonts.get_object()
        kept = {name: fonts.raw_get(name) for name in fonts if name in self._fonts}
        return self._dictionary(kept)


def greyed(content: bytes) -> bytes:
    """Turn black and greys written as RGB into grey: one ink on the press, not four."""
    operators = {b"rg": b"g", b"RG": b"G"}
    grey: bytes = RGB_GREY.sub(lambda found: b"%b %b" % (found[1], operators[found[2]]), content)
    return grey


def _form(entries: Mapping[str, PdfObject], content: bytes) -> StreamObject:
    form = DecodedStreamObject()
    form.update(entries)
    for made_again in ("/Filter", "/DecodeParms", "/Length"):
        form.pop(made_again, None)
    form.set_data(content)
    return form.flate_encode(9)


def _xobject(page: Any, content: bytes) -> StreamObject:  # noqa: ANN401
    entries: dict[str, PdfObject] = {
        NameObject("/Type"): NameObject("/XObject"),
        NameObject("/Subtype"): NameObject("/Form"),
        NameObject("/BBox"): ArrayObject(page.mediabox),
        NameObject("/Resources"): page["/Resources"].get_object(),
    }
    return _form(entries, content)


def _fonts_used(content: bytes, resources: Any) -> Iterator[str]:  # noqa: ANN401
    yield from ("/" + name.decode() for name in FONT_USE.findall(content))
    for reference in resources.get_object().get("/XObject", {}).values():
        inner = reference.get_object()
        if inner.get("/Subtype") == "/Form":
            yield from _fonts_used(inner.get_data(), inner.get("/Resources", DictionaryObject()))
