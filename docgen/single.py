"""One document from values given by name: typed in a form, sent by a program, read in a file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

from docgen import pagecode
from docgen.errors import (
    FieldDoesNotFit,
    InvalidInput,
    LayoutOverflows,
    MissingGlyph,
    Problem,
    ValuesRejected,
)
from docgen.fields import Rows, read
from docgen.library import Template
from docgen.manifest import MOST_SIDES, Layout, Variant
from docgen.pagecode import Key
from docgen.rendering.cache import load_form
from docgen.rendering.filling import Copy
from docgen.rendering.imposition import (
    Imposition,
    SideZone,
    impose,
    sides_needed,
    zones_on_sides,
)
from docgen.rendering.printfile import Document, Run, bind
from docgen.rendering.symbols import load_table
from docgen.rendering.typesetting import Typesetter

WHERE = "valeurs"
Made: TypeAlias = tuple[bytes, Imposition, list[SideZone]]


@dataclass(frozen=True)
class Filled:
    """A document made, what its codes say, and where it is signed.

    `sides` are those that carry codes, `width` and `height` the size of each in points, `needed`
    those that must come home.
    """

    reference: str
    content: bytes
    number: bytes
    sides: int
    width: float
    height: float
    zones: tuple[SideZone, ...]
    needed: tuple[int, ...]


@dataclass(frozen=True)
class Reading:
    """What decides a document: a template as it is laid out, read for whom, and its values."""

    template: Template
    layout: Layout
    variant: Variant
    values: Mapping[str, str]
    rows: Mapping[str, Rows]

    def number(self, key: Key) -> bytes:
        """Give the document's number: the same values make the same document."""
        manifest = self.template.manifest
        content = json.dumps([self.values, self.rows], ensure_ascii=False, sort_keys=True)
        facts = (manifest.slug, manifest.version, self.layout.name, self.variant.name)
        return pagecode.document_number(key, *facts, hashlib.sha256(content.encode()).hexdigest())


def parse_values(content: bytes) -> dict[str, Any]:
    """Read the JSON object of a document's values.

    Raises:
        ValuesRejected: when it is not JSON in UTF-8, not an object, or names a value twice.
    """
    try:
        values = json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        remedy = 'Donnez un objet : {"champ": "valeur"}.'
        raise ValuesRejected(
            Problem(f"JSON illisible ({_fault(error)}).", WHERE, remedy)
        ) from error
    if not isinstance(values, dict):
        raise ValuesRejected(Problem("un objet JSON est attendu.", WHERE))
    return values


def fill(
    template: Template,
    given: Mapping[str, object],
    key: Key,
    cache: Path,
    *,
    layout: str = "",
    variant: str = "",
) -> Filled:
    """Make one document from the values given for a template's fields.

    A template that is pressed goes through the press: a preview is the print.

    Raises:
        ValuesRejected: with every problem of the values at once, and a variant to choose.
        MissingGlyph, FieldDoesNotFit: for values that cannot be drawn, or not in their place.
        LayoutOverflows: for more sides than a page code can count.
    """
    engine = template.manifest.engine
    if engine not in MAKERS:
        what = "ce modèle ne se remplit pas en PDF."
        raise InvalidInput(Problem(what, template.manifest.slug, "Employez « docgen word »."))
    reading = read_values(template, given, layout, variant)
    number = reading.number(key)
    reference = pagecode.reference(template.manifest.reference, number)
    content, paper, zones = MAKERS[engine](reading, number, reference, key, cache)
    sides = len(paper.sides)
    return Filled(
        reference=reference,
        content=content,
        number=number,
        sides=sides,
        width=paper.width,
        height=paper.height,
        zones=tuple(zones),
        needed=tuple(sides_needed(template.manifest, sides, zones)),
    )


def check(template: Template, given: Mapping[str, object]) -> None:
    """Check that a document can be made of these values, without laying anything out.

    Raises:
        ValuesRejected: with every problem of the values at once.
        MissingGlyph: for characters that cannot be drawn.
    """
    _can_be_drawn(read_values(template, given))


def read_values(
    template: Template, given: Mapping[str, object], layout: str = "", variant: str = ""
) -> Reading:
    """Check the values given for a template, and choose how it is laid out and read.

    Raises:
        ValuesRejected: with every problem at once.
        TemplateRejected: for a layout that the template does not have.
    """
    manifest = template.manifest
    chosen = manifest.layout(layout or manifest.layouts[0].name)
    problems: list[Problem] = []
    variants = {each.name: each for each in manifest.variants}
    wanted = variant or (manifest.variants[0].name if len(variants) == 1 else "")
    if wanted not in variants:
        what = f"la variante « {variant} » n’existe pas." if variant else "la variante manque."
        problems.append(Problem(what, manifest.slug, f"Choisissez : {', '.join(variants)}."))
    try:
        values, rows = read(manifest.fields, given, WHERE)
    except ValuesRejected as error:
        problems += error.problems
    if problems:
        raise ValuesRejected(problems)
    return Reading(template, chosen, variants[wanted], values, rows)


def _pressed(reading: Reading, number: bytes, reference: str, key: Key, cache: Path) -> Made:
    manifest = reading.template.manifest
    form = load_form(reading.template, reading.layout, cache)
    imposition = impose(form, reading.layout, manifest.codes)
    run = Run(manifest, form, imposition, {}, key, load_table(cache), padded=False)
    copy = Copy(WHERE, reading.variant.name, reading.values, reference)
    content = BytesIO()
    volume = bind(run, [Document("", "", "", number, copy)], content)
    if volume.missing:
        raise MissingGlyph([*volume.missing, *volume.unfit])
    if volume.unfit:
        raise FieldDoesNotFit(volume.unfit)
    return content.getvalue(), imposition, zones_on_sides(form, imposition, reading.variant.name)


def _laid_out(reading: Reading, number: bytes, reference: str, key: Key, cache: Path) -> Made:
    from docgen.rendering import flow, whole

    template, layout = reading.template, reading.layout
    _can_be_drawn(reading)
    pen = flow.TextPen(reading.values, reading.rows)
    laid_out = flow.render(template, layout, reading.variant, pen)
    if (sides := len(laid_out.pages)) > MOST_SIDES:
        what = f"{sides} faces, pour {MOST_SIDES} au plus."
        raise LayoutOverflows(Problem(what, template.manifest.slug, "Faites plusieurs documents."))
    return whole.coded(
        flow.written(laid_out, pdf_forms=True),
        template=template,
        layout=layout,
        number=number,
        reference=reference,
        key=key,
        symbols=load_table(cache),
    )


MAKERS = {"press": _pressed, "flow": _laid_out}


def _can_be_drawn(reading: Reading) -> None:
    """Refuse what the pinned font does not have: another font would draw it, or none."""
    setter = Typesetter()
    problems: dict[Problem, None] = {}
    fields = {field.name: field for field in reading.template.manifest.fields}
    labelled = [(fields[name].label, text) for name, text in reading.values.items()]
    for name, rows in reading.rows.items():
        labels = {column.name: column.label for column in fields[name].columns}
        labelled += [(labels[cell], text) for row in rows for cell, text in row.items()]
    for label, text in labelled:
        try:
            setter.shape(text)
        except MissingGlyph as error:
            problems[Problem(f"« {label} » : {error.problems[0].what}", WHERE)] = None
    if problems:
        raise MissingGlyph(problems)


def _fault(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"ligne {error.lineno}"
    if isinstance(error, UnicodeDecodeError):
        return "il n’est pas en UTF-8"
    return "trop profond" if isinstance(error, RecursionError) else "nombre trop long"


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValuesRejected(Problem("un champ est donné deux fois.", WHERE))
    return values
