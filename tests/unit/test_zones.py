"""Signature zones: told where the paper shows them, in every layout, and never drawn."""

import tomllib
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from markupsafe import Markup
from msgspec import structs
from pypdf import PdfReader

from docgen import library, single
from docgen.datafolder import data_folder
from docgen.library import Template
from docgen.manifest import Manifest
from docgen.rendering import flow, pictures, whole
from docgen.rendering.compiling import from_pdf
from docgen.rendering.imposition import MM, SideZone, sides_needed, zones_on_sides
from docgen.rendering.symbols import load_table
from tests.helpers import KEY, PERSON, bound, job, small_charter

DPI = 200
CHARTER = "charte-cession-eleve"
PEOPLE = {"mineur": PERSON, "majeur": replace(PERSON, birth_date=date(2005, 1, 1))}
FLOWING = ("attestation-cession", "bordereau-envoi", "liste-emargement")


def sample(template: Template) -> dict[str, Any]:
    return tomllib.loads(template.text("sample.toml"))


def framed(content: bytes, zone: SideZone) -> None:
    """Check that a side shows a frame there, on all four edges, and nothing inside."""
    (picture,) = pictures.greys(content, DPI, [zone.side - 1])
    scale, dark = DPI / 72, picture < 160
    left, right = zone.x * scale, (zone.x + zone.width) * scale
    low = picture.shape[0] - zone.y * scale
    high = low - zone.height * scale
    assert zone.width > 40 * MM
    assert zone.height > 15 * MM
    inner = round(0.5 * MM * scale)
    box = dark[round(high) + inner : round(low) - inner, round(left) + inner : round(right) - inner]
    assert not box.any()
    corner = round(2 * MM * scale)
    across = slice(round(left) + corner, round(right) - corner)
    down = slice(round(high) + corner, round(low) - corner)
    near = round(0.4 * MM * scale)
    for row in (round(high), round(low)):
        assert dark[row - near : row + near + 1, across].any(axis=0).mean() > 0.99
    for column in (round(left), round(right)):
        assert dark[down, column - near : column + near + 1].any(axis=1).mean() > 0.99


@pytest.mark.parametrize("variant", PEOPLE)
@pytest.mark.parametrize("layout", ["police-10", "police-8", "reduction"])
def test_zones_are_told_where_the_printed_sides_show_their_frames(
    layout: str, variant: str
) -> None:
    made = job([PEOPLE[variant]], layout, template=library.load(CHARTER))
    content, _ = bound(made)
    zones = zones_on_sides(made.run.form, made.run.imposition, variant)
    signers = {zone.name for zone in zones}
    assert signers == {"pupil", "school"} | (
        {"guardian1", "guardian2"} if variant == "mineur" else set()
    )
    assert len(zones) == len(signers)
    last = made.order.layout.sides
    assert {zone.side for zone in zones} == {last}
    for zone in zones:
        framed(content, zone)


def test_zones_of_the_small_charter_are_on_its_last_side() -> None:
    for layout, last in (("entier", 3), ("reduction", 2)):
        made = job([PERSON], layout)
        zones = zones_on_sides(made.run.form, made.run.imposition, "mineur")
        assert zones
        assert {zone.side for zone in zones} == {last}
        width, height = made.run.imposition.width, made.run.imposition.height
        for zone in zones:
            assert 0 < zone.x < zone.x + zone.width < width
            assert 0 < zone.y < zone.y + zone.height < height


class PlainPen(flow.TextPen):
    """Leaves zones as an empty box, that no PDF tells of."""

    def zone(self, name: str, label: str) -> Markup:
        return Markup('<span class="slot zone"></span>')


def stamped(template: Template, content: bytes) -> tuple[bytes, list[SideZone]]:
    layout = template.manifest.layouts[0]
    made, _, zones = whole.coded(
        content,
        template=template,
        layout=layout,
        number=bytes(6),
        reference="AT-0000-0000",
        key=KEY,
        symbols=load_table(data_folder() / "cache"),
    )
    return made, zones


@pytest.mark.parametrize("slug", FLOWING)
def test_a_zone_of_a_free_length_is_read_and_leaves_no_trace_on_paper(slug: str) -> None:
    template = library.load(slug)
    reading = single.read_values(template, sample(template))
    facts = (template, reading.layout, reading.variant)
    told = whole.lay_out(*facts, reading.values, reading.rows)
    pen = PlainPen(reading.values, reading.rows)
    silent = flow.written(flow.render(*facts, pen))
    (ours, zones), (plain, none) = stamped(template, told), stamped(template, silent)
    assert {zone.name for zone in zones} == {each.name for each in template.manifest.signatures}
    assert none == []
    for zone in zones:
        framed(ours, zone)
    sides = zip(pictures.greys(ours, DPI), pictures.greys(plain, DPI), strict=True)
    assert all(np.array_equal(one, other) for one, other in sides)
    assert abs(len(ours) - len(plain)) < 100  # no whole font came with a form field
    assert not any("/Annots" in page for page in PdfReader(BytesIO(ours)).pages)


def test_a_document_filled_alone_tells_its_codes_its_size_and_its_zones() -> None:
    template = library.load("liste-emargement")
    filled = single.fill(template, sample(template), KEY, data_folder() / "cache")
    assert filled.number == single.read_values(template, sample(template)).number(KEY)
    assert filled.sides == len(PdfReader(BytesIO(filled.content)).pages)
    assert (round(filled.width), round(filled.height)) == (595, 842)
    (zone,) = filled.zones
    assert (zone.name, filled.needed) == ("agent", (zone.side,))
    framed(filled.content, zone)


def test_a_document_pressed_alone_tells_the_zones_of_its_variant() -> None:
    template = library.load(CHARTER)
    cache = data_folder() / "cache"
    given = sample(template)
    for variant, count in (("mineur", 4), ("majeur", 2)):
        filled = single.fill(template, given, KEY, cache, layout="reduction", variant=variant)
        assert (filled.sides, len(filled.zones), filled.needed) == (3, count, (3,))
        assert filled.width > filled.height
        for zone in filled.zones:
            framed(filled.content, zone)


def test_form_fields_of_a_whole_document_are_no_slots() -> None:
    html = '<p>Un.</p><input class="slot" name="stranger/1">'
    content = flow.document(html, [], small_charter().folders).write_pdf(pdf_forms=True)
    form = from_pdf(content)
    assert [page.slots for page in form.variants[""].pages] == [()]
    assert form.variants[""].zones == ()


def at(name: str, side: int) -> SideZone:
    return SideZone(name, side, 0, 0, 1, 1)


@pytest.mark.parametrize(
    ("returns", "zones", "needed"),
    [
        ("all", [at("must", 2)], [1, 2, 3]),
        ("signed", [at("must", 3), at("may", 1), at("must", 2), at("must", 3)], [2, 3]),
        ("signed", [at("may", 1)], [1, 2, 3]),
        ("signed", [], [1, 2, 3]),
    ],
)
def test_the_sides_that_must_come_home_are_those_of_the_manifest(
    returns: str, zones: list[SideZone], needed: list[int]
) -> None:
    manifest: Manifest = small_charter().manifest
    first = manifest.signatures[0]
    signatures = (
        structs.replace(first, name="must", required=True),
        structs.replace(first, name="may", required=False),
    )
    changed = structs.replace(manifest, returns=returns, signatures=signatures)
    assert sides_needed(changed, 3, zones) == needed
