"""Our notices and forms: French typography, fields, accessible blanks, samples that print."""

import re
import tomllib
from io import BytesIO
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from pypdf import PdfReader

from docgen import single
from docgen.datafolder import data_folder
from docgen.fields import Field
from docgen.library import Template, load, load_all
from docgen.manifest import Variant
from docgen.rendering import flow, pictures
from docgen.rendering.fonts import font_file
from docgen.typography import french
from tests.helpers import KEY, codes_of
from tests.unit.test_templates_text import FAULTS, texts

SHELVED = [each for each in load_all() if each.folder.parent.name in {"forms", "notices"}]
TEMPLATES = [each for each in SHELVED if each.manifest.engine != "word"]
SLUGS = [each.manifest.slug for each in TEMPLATES]
READINGS = [(each, variant) for each in TEMPLATES for variant in each.manifest.variants]
IDS = [f"{each.manifest.slug}-{variant.name}" for each, variant in READINGS]
readings = pytest.mark.parametrize(("template", "variant"), READINGS, ids=IDS)


def body(template: Template, variant: Variant) -> str:
    return flow.body_html(template, template.manifest.layouts[0], variant, flow.CompilePen())


def longest(fields: tuple[Field, ...]) -> dict[str, Any]:
    return {
        field.name: [longest(field.columns)] * 3
        if field.type == "rows"
        else field.type == "tick" or field.longest
        for field in fields
    }


def test_every_notice_and_form_of_a_distribution_is_on_the_shelf() -> None:
    assert {each.manifest.slug for each in SHELVED} >= {
        "attestation-honneur-besoin-tablette",
        "notice-pret-continuite",
        "modele-article-reglement-interieur",
        "liste-emargement",
        "fiche-referent-logistique",
        "declaration-tablette-hors-service",
        "recu-retour-pret",
        "etiquettes-wifi",
        "enquete-dotation",
    }
    assert len({each.manifest.reference for each in load_all()}) == len(list(load_all()))


@readings
def test_the_text_obeys_french_typography(template: Template, variant: Variant) -> None:
    said = texts(body(template, variant))
    found = [
        (fault, text) for text in said for fault, rule in FAULTS.items() if re.search(rule, text)
    ]
    assert found == []
    assert [text for text in said if french(text) != text] == []


@readings
def test_the_pinned_font_has_every_character(template: Template, variant: Variant) -> None:
    known = set(TTFont(font_file("Regular")).getBestCmap())
    used = {character for text in texts(body(template, variant)) for character in text}
    assert {character for character in used if ord(character) not in known} == set()


@readings
def test_each_variant_places_its_own_signatures(template: Template, variant: Variant) -> None:
    declared = {
        zone.name
        for zone in template.manifest.signatures
        if not zone.variants or variant.name in zone.variants
    }
    assert set(re.findall(r'name="signature:(\w+)/1"', body(template, variant))) == declared


@readings
def test_the_blank_form_is_tagged_labelled_and_empty(template: Template, variant: Variant) -> None:
    reader = PdfReader(BytesIO(flow.blank(template, template.manifest.layouts[0], variant)))
    catalog = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"].value is True
    assert str(catalog["/Lang"]) == "fr"
    assert "pdfuaid" in catalog["/Metadata"].get_object().get_data().decode()
    widgets = [each.get_object() for page in reader.pages for each in page.get("/Annots", ())]
    assert widgets
    assert all(widget["/TU"] for widget in widgets)
    ticks = {field.name for field in template.manifest.fields if field.type == "tick"}
    for name, field in (reader.get_fields() or {}).items():
        is_button = field["/FT"] == "/Btn"
        assert is_button == (name in ticks or name.endswith("-charter"))
        assert field.get("/V") in (None, "", "/Off")


@readings
def test_the_sample_and_the_longest_values_print_with_codes_on_every_side(
    template: Template, variant: Variant
) -> None:
    sample = tomllib.loads(template.text("sample.toml"))
    cache = data_folder() / "cache"
    for given in (sample, longest(template.manifest.fields)):
        document = single.fill(template, given, KEY, cache, variant=variant.name)
        reader = PdfReader(BytesIO(document.content))
        layout = template.manifest.layouts[0]
        if layout.pages:
            assert len(reader.pages) == layout.pages
        picture = next(iter(pictures.greys(document.content, 150)))
        assert {code.corner for code in codes_of(picture)} == {0, 1}


@pytest.mark.parametrize("slug", [each.manifest.slug for each in SHELVED])
def test_the_sample_gives_a_value_to_every_field(slug: str) -> None:
    template = load(slug)
    given = tomllib.loads(template.text("sample.toml"))
    assert list(given) == [field.name for field in template.manifest.fields]


def test_a_ticked_box_prints_ticked_and_the_others_do_not() -> None:
    template = load("recu-retour-pret")
    names = [field.name for field in template.manifest.fields if field.type == "tick"]
    given = tomllib.loads(template.text("sample.toml")) | dict.fromkeys(names, False)
    cache = data_folder() / "cache"
    for ticked in (0, 1, 5):
        given |= dict.fromkeys(names[:ticked], True)
        content = single.fill(template, given, KEY, cache).content
        text = PdfReader(BytesIO(content)).pages[0].extract_text()
        assert (text.count("☑"), text.count("☐")) == (ticked, len(names) - ticked)


def test_a_password_keeps_every_sign_as_it_is() -> None:
    template = load("etiquettes-wifi")
    signs = "l0I1-\"O8'?;"
    given = tomllib.loads(template.text("sample.toml"))
    given["slips"] = [given["slips"][0] | {"password": signs}]
    content = single.fill(template, given, KEY, data_folder() / "cache").content
    assert signs in PdfReader(BytesIO(content)).pages[0].extract_text()
