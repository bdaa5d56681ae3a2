"""What our charters say, and how: French typography, numbering, fields, signatures."""

import re
import tomllib
from html import unescape

import pytest
from fontTools.ttLib import TTFont

from docgen.fields import clean
from docgen.library import Template, load, slugs
from docgen.manifest import Variant
from docgen.rendering import flow
from docgen.rendering.fonts import font_file

NBSP, THIN = "\u00a0", "\u202f"
FAULTS = {
    "straight apostrophe or quote": r"['\"]",
    "colon without its non-breaking space": rf"(?<!{NBSP}):",
    "high sign without its thin space": rf"(?<!{THIN})[;!?]",
    "quotation mark without its non-breaking space": rf"«(?!{NBSP})|(?<!{NBSP})»",
    "breakable space after n°": rf"n°(?!{NBSP}|$)",
    "breakable space before a number": r"\b(?:[Aa]rticles?|[Vv]ersion|[LRD]\.|\(UE\)) (?=[\dLRD])",
    "two spaces": r"  ",
}
READINGS = [
    (slug, variant.name)
    for slug in slugs()
    if load(slug).manifest.kind == "charter"
    for variant in load(slug).manifest.variants
]
CHARTERS = sorted({slug for slug, _ in READINGS})


def reading(slug: str, name: str) -> tuple[Template, Variant, str]:
    template = load(slug)
    variant = next(each for each in template.manifest.variants if each.name == name)
    layout = template.manifest.layouts[0]
    return template, variant, flow.body_html(template, layout, variant, flow.CompilePen())


def texts(html: str) -> list[str]:
    pieces = (unescape(piece) for piece in re.split(r"<[^>]*>", html))
    return [re.sub(r"\s*\n\s*", " ", piece) for piece in pieces if piece.strip()]


@pytest.mark.parametrize(("slug", "variant"), READINGS)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_text_obeys_french_typography(slug: str, variant: str, fault: str) -> None:
    _, _, html = reading(slug, variant)
    assert [text for text in texts(html) if re.search(FAULTS[fault], text)] == []


@pytest.mark.parametrize(("slug", "variant"), READINGS)
def test_the_pinned_font_has_every_character(slug: str, variant: str) -> None:
    _, _, html = reading(slug, variant)
    known = set(TTFont(font_file("Regular")).getBestCmap())
    used = {character for text in texts(html) for character in text}
    assert {character for character in used if ord(character) not in known} == set()


@pytest.mark.parametrize(("slug", "variant"), READINGS)
def test_articles_are_numbered_without_a_gap(slug: str, variant: str) -> None:
    _, _, html = reading(slug, variant)
    numbers = [int(number) for number in re.findall(rf"<h2>Article{NBSP}(\d+)", html)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert f"<h2>Article{NBSP}1<sup>er</sup>." in html


@pytest.mark.parametrize(("slug", "variant"), READINGS)
def test_each_variant_places_its_own_signatures(slug: str, variant: str) -> None:
    template, _, html = reading(slug, variant)
    declared = {
        zone.name
        for zone in template.manifest.signatures
        if not zone.variants or variant in zone.variants
    }
    assert set(re.findall(r'name="signature:(\w+)/1"', html)) == declared


@pytest.mark.parametrize("slug", CHARTERS)
def test_every_field_has_a_place_in_some_variant(slug: str) -> None:
    bodies = "".join(reading(slug, variant)[2] for each, variant in READINGS if each == slug)
    placed = set(re.findall(r'name="(\w+)/\d"', bodies))
    assert placed == {field.name for field in load(slug).manifest.fields}


@pytest.mark.parametrize("slug", CHARTERS)
def test_samples_and_longest_values_are_accepted(slug: str) -> None:
    template = load(slug)
    fields = template.manifest.fields
    sample = tomllib.loads(template.text("sample.toml"))
    assert list(sample) == [field.name for field in fields]
    assert clean(fields, sample) == sample
    longest = {field.name: field.longest for field in fields}
    assert clean(fields, longest) == longest
