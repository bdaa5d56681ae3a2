"""Prove a template: every layout, every variant, with the longest values that it promises."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from io import BytesIO

from markupsafe import Markup

from docgen.errors import DocgenError, Problem, ValuesRejected
from docgen.fields import Field, Rows, clean, clean_rows, read
from docgen.library import Template
from docgen.manifest import Layout, Variant
from docgen.pagecode import Key
from docgen.rendering import flow, pictures, whole
from docgen.rendering.clearance import DPI, Box, has_ink, kept_clear
from docgen.rendering.compiling import compile_form, from_pdf
from docgen.rendering.filling import Copy
from docgen.rendering.form import Form
from docgen.rendering.imposition import MM, Imposition, impose
from docgen.rendering.printfile import Document, Run, bind
from docgen.rendering.symbols import MODULES, ROW_BYTES, SymbolTable

FONT_NAME = re.compile(rb"/BaseFont\s*/\w+\+([^\s/>]+)")
PINNED = b"Source-Sans-Pro"
A4 = (210 * MM, 297 * MM)
EDGE = 8 * MM
MANY = 120  # rows: several pages of any list


class Unprinted(SymbolTable):
    """Draws codes without a dark module, so that only what is under them shows."""

    def __init__(self) -> None:
        self._light = b"\xff" * (MODULES * ROW_BYTES)

    def draw(self, payloads: bytes) -> list[bytes]:
        """Give as many bare squares."""
        return [self._light] * (len(payloads) // 16)


def check_template(template: Template) -> list[Problem]:
    """Lay everything out and give what does not hold."""
    manifest = template.manifest
    problems = list(_sample_problems(template))
    if manifest.engine == "flow":
        return problems + list(_flow_problems(template))
    if manifest.engine == "word":
        return problems + list(_word_problems(template))
    forms: dict[str, Form] = {}
    for layout in manifest.layouts:
        if not layout.of:
            try:
                forms[layout.name] = compile_form(template, layout, template.checksum)
            except DocgenError as error:
                problems += error.problems
    for layout in manifest.layouts:
        if form := forms.get(layout.base):
            where = f"{manifest.slug}, {layout.name}"
            problems += [Problem(text, where) for text in _form_problems(template, form)]
            for variant in manifest.variants:
                problems += _filled_problems(template, layout, form, variant)
    return problems


def _word_problems(template: Template) -> Iterator[Problem]:
    """Look at a Word model as at a stranger's, and for the fields that it does not show."""
    from docgen.rendering.wordmodel import Model, examine

    manifest = template.manifest
    content = (template.folder / manifest.body).read_bytes()
    problems = examine(content, manifest)
    yield from (Problem(p.what, f"{manifest.slug}/{manifest.body}", p.remedy) for p in problems)
    shown = set() if problems else Model(content, manifest).names
    for field in manifest.fields:
        if not problems and field.name not in shown:
            what = f"le champ « {field.name} » n’est montré nulle part."
            yield Problem(what, f"{manifest.slug}/{manifest.body}")


def _sample_problems(template: Template) -> Iterator[Problem]:
    manifest = template.manifest
    where = f"{manifest.slug}/sample.toml"
    try:
        values = tomllib.loads(template.text("sample.toml"))
    except FileNotFoundError:
        yield Problem("exemple illisible (le fichier manque).", where, "Ajoutez-le au dossier.")
        return
    except (OSError, ValueError) as error:
        yield Problem(f"exemple illisible ({error}).", where)
        return
    unknown = values.keys() - {field.name for field in manifest.fields}
    yield from (Problem(f"champ « {name} » inconnu.", where) for name in sorted(unknown))
    try:
        read(manifest.fields, {name: values[name] for name in values.keys() - unknown}, where)
    except ValuesRejected as error:
        yield from error.problems


def _form_problems(template: Template, form: Form) -> Iterator[str]:
    manifest = template.manifest
    yield from _paper_problems(form)
    shown = {
        slot.field for each in form.variants.values() for page in each.pages for slot in page.slots
    }
    for field in manifest.fields:
        if field.name not in shown:
            yield f"le champ « {field.name} » n’est montré nulle part."
    for zone in manifest.signatures:
        for name in zone.variants or form.variants:
            if zone.name not in {each.name for each in form.variants[name].zones}:
                yield f"la zone de signature « {zone.name} » manque dans « {name} »."


def _paper_problems(form: Form) -> Iterator[str]:
    if abs(form.width - A4[0]) > 1 or abs(form.height - A4[1]) > 1:
        yield "les pages ne sont pas au format A4 portrait."
    for font in sorted(set(FONT_NAME.findall(form.objects))):
        if not font.startswith(PINNED):
            yield f"police étrangère : {font.decode()}."


def _filled_problems(
    template: Template, layout: Layout, form: Form, variant: Variant
) -> Iterator[Problem]:
    manifest = template.manifest
    where = f"{manifest.slug}, {layout.name}, {variant.name}"
    longest = {field.name: field.longest for field in manifest.fields}
    try:
        values = clean(manifest.fields, longest, where)
    except ValuesRejected as error:
        yield from error.problems
        return
    imposition = impose(form, layout, manifest.codes)
    run = Run(manifest, form, imposition, {}, Key(0, b""), Unprinted())
    document = Document("", "", "", bytes(6), Copy(where, variant.name, values, ""))
    content = BytesIO()
    volume = bind(run, [document], content)
    yield from (*volume.unfit, *volume.missing)
    yield from _ink_problems(content.getvalue(), imposition, where, kept_clear(imposition))


def _flow_problems(template: Template) -> Iterator[Problem]:
    """Lay out every reading of free length: blank, as its sample, and long in every way."""
    manifest = template.manifest
    for layout in manifest.layouts:
        for variant in manifest.variants:
            where = f"{manifest.slug}, {layout.name}, {variant.name}"
            shown = _NotingPen()
            try:
                flow.body_html(template, layout, variant, shown)
                for values, rows in ({}, {}), _sample(template), _longest(template, where):
                    content = whole.lay_out(template, layout, variant, values, rows)
                    yield from _whole_problems(template, layout, content, where)
            except DocgenError as error:
                yield from error.problems
            for name in {field.name for field in manifest.fields} - shown.fields:
                yield Problem(f"le champ « {name} » n’est montré nulle part.", where)
            for zone in manifest.signatures:
                if (
                    variant.name in (zone.variants or (variant.name,))
                    and zone.name not in shown.zones
                ):
                    yield Problem(f"la zone de signature « {zone.name} » manque.", where)


class _NotingPen(flow.TextPen):
    """Notes what a body shows."""

    def __init__(self) -> None:
        super().__init__({}, {})
        self.fields: set[str] = set()
        self.zones: set[str] = set()

    def field(self, field: Field, lines: int) -> Markup:
        self.fields.add(field.name)
        return super().field(field, lines)

    def rows(self, field: Field, blank: int) -> Rows:
        self.fields.add(field.name)
        return super().rows(field, blank)

    def zone(self, name: str, label: str) -> Markup:
        self.zones.add(name)
        return super().zone(name, label)


def _sample(template: Template) -> tuple[dict[str, str], dict[str, Rows]]:
    """Give the values of the sample; none when it does not hold, which is told elsewhere."""
    try:
        return read(template.manifest.fields, tomllib.loads(template.text("sample.toml")))
    except (OSError, ValueError, ValuesRejected):
        return {}, {}


def _longest(template: Template, where: str) -> tuple[dict[str, str], dict[str, Rows]]:
    def longest(fields: Iterable[Field]) -> dict[str, str]:
        return {field.name: field.longest for field in fields if field.type != "rows"}

    fields = template.manifest.fields
    many = {
        field.name: clean_rows(field, [longest(field.columns)] * MANY, where)
        for field in fields
        if field.type == "rows"
    }
    return clean(fields, longest(fields), where), many


def _whole_problems(
    template: Template, layout: Layout, content: bytes, where: str
) -> Iterator[Problem]:
    form = from_pdf(content)
    yield from (Problem(text, where) for text in _paper_problems(form))
    imposition = impose(form, layout, template.manifest.codes)
    boxes = (*kept_clear(imposition), *_edges(imposition))
    yield from _ink_problems(content, imposition, where, boxes)


def _ink_problems(
    content: bytes, imposition: Imposition, where: str, boxes: Iterable[Box]
) -> Iterator[Problem]:
    boxes = list(boxes)
    sides = range(len(imposition.sides))
    drawn = pictures.greys(content, DPI, list(sides))
    for side, picture in zip(sides, drawn, strict=True):
        for box in boxes:
            if has_ink(picture, imposition.height, box):
                left, bottom, right, top = (round(edge / MM) for edge in box)
                what = f"de l’encre à la place d’un code ou de la référence, face {side + 1}."
                at = f"De {left} à {right} mm de la gauche, de {bottom} à {top} mm du bas."
                yield Problem(what, where, at)


def _edges(imposition: Imposition) -> Iterator[Box]:
    """Give the edges of the paper, where printers print nothing and long words would go."""
    width, height = imposition.width, imposition.height
    yield from ((0, 0, EDGE, height), (width - EDGE, 0, width, height))
    yield from ((0, 0, width, EDGE), (0, height - EDGE, width, height))
