"""Prove a template: every layout, every variant, with the longest values that it promises."""

import re
import tomllib
from collections.abc import Iterator
from io import BytesIO

from docgen.errors import DocgenError, Problem, ValuesRejected
from docgen.fields import clean
from docgen.library import Template
from docgen.manifest import Layout, Variant
from docgen.pagecode import Key
from docgen.rendering import pictures
from docgen.rendering.compiling import compile_form
from docgen.rendering.filling import Copy
from docgen.rendering.form import Form
from docgen.rendering.imposition import CODE_SIZE, MM, Imposition, impose
from docgen.rendering.printfile import Document, Run, bind
from docgen.rendering.symbols import MODULES, QUIET, ROW_BYTES, SymbolTable

FONT_NAME = re.compile(rb"/BaseFont\s*/\w+\+([^\s/>]+)")
PINNED = b"Source-Sans-Pro"
DPI = 100
A4 = (210 * MM, 297 * MM)
PAPER = 250  # grey level from which a pixel is bare paper
Box = tuple[float, float, float, float]  # left, bottom, right, top, in points
STRIP = (34 * MM, 11.5 * MM, 15 * MM)  # from x, between two heights: the press's reference


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


def _sample_problems(template: Template) -> Iterator[Problem]:
    manifest = template.manifest
    where = f"{manifest.slug}/sample.toml"
    try:
        values = tomllib.loads(template.text("sample.toml"))
    except (OSError, ValueError) as error:
        yield Problem(f"exemple illisible ({error}).", where)
        return
    unknown = values.keys() - {field.name for field in manifest.fields}
    yield from (Problem(f"champ « {name} » inconnu.", where) for name in sorted(unknown))
    odd = [name for name, value in values.items() if not isinstance(value, str)]
    yield from (Problem(f"champ « {name} » : un texte est attendu.", where) for name in odd)
    texts = {name: value for name, value in values.items() if name not in odd}
    try:
        clean(manifest.fields, texts, where)
    except ValuesRejected as error:
        yield from error.problems


def _form_problems(template: Template, form: Form) -> Iterator[str]:
    manifest = template.manifest
    if abs(form.width - A4[0]) > 1 or abs(form.height - A4[1]) > 1:
        yield "les pages ne sont pas au format A4 portrait."
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
    sides = range(len(imposition.sides))
    drawn = pictures.greys(content.getvalue(), DPI, list(sides))
    for side, picture in zip(sides, drawn, strict=True):
        for box in _kept_clear(imposition):
            if (_area(picture, imposition, box) < PAPER).any():
                left, bottom, right, top = (round(edge / MM) for edge in box)
                what = f"de l’encre à la place d’un code ou de la référence, face {side + 1}."
                at = f"De {left} à {right} mm de la gauche, de {bottom} à {top} mm du bas."
                yield Problem(what, where, at)


def _area(picture: pictures.Grey, imposition: Imposition, box: Box) -> pictures.Grey:
    left, bottom, right, top = (edge * DPI / 72 for edge in box)
    height = imposition.height * DPI / 72
    return picture[round(height - top) : round(height - bottom), round(left) : round(right)]


def _kept_clear(imposition: Imposition) -> Iterator[Box]:
    """Give the rectangles of a side that belong to the press, quiet zones with them."""
    quiet = CODE_SIZE / MODULES * QUIET
    for _, x, y in imposition.code_corners():
        yield x - quiet, y - quiet, x + CODE_SIZE + quiet, y + CODE_SIZE + quiet
    left, bottom, top = STRIP
    yield left, bottom, imposition.width - left / 4, top
