"""Word models: filled exactly, strictly, and to the same bytes."""

import io
import re
import zipfile
from datetime import date
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from docx import Document
from docxtpl import DocxTemplate
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined

from bench import word as bench
from docgen import library
from docgen.errors import TemplateRejected, ValuesRejected
from docgen.fields import clean, has_invisible
from docgen.rendering import word, wordmerge, wordtags
from docgen.rendering.wordmodel import Filling, Model, Properties, prefill
from docgen.rendering.wordpackage import read_package
from samples import conventions
from tests.hostile import models

WORDED = [slug for slug in library.slugs() if library.load(slug).manifest.engine == "word"]
CONVENTIONS = [slug for slug in WORDED if library.load(slug).manifest.kind == "convention"]
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
HOSTILE_NAMES = (
    "Dupont & Fils <b>",
    "</w:t></w:r></w:p><w:p><w:r><w:t>INJECTÉ",
    "{{ tablette_serie }} {% if x %}",
    "{_{ eleve_nom }_}",
    "&amp; &lt; &#38;",
    "Zoé 𝒵𝓸é 😀",
    "E\u0301milie",
    "D’ARTAGNAN «\u00a0x\u00a0» \"y\" 'z'",
    "x" * 300,
)
MODELS = {
    slug: Model((library.load(slug).folder / "body.docx").read_bytes(), library.load(slug).manifest)
    for slug in WORDED
}
PUPIL = "convention-pret-eleve"


def filling(slug: str = PUPIL, variant: str = "mineur", **values: str) -> Filling:
    manifest = library.load(slug).manifest
    known = clean(manifest.fields, {field.name: field.sample for field in manifest.fields})
    title = "Convention A & B <c>"
    properties = Properties(title=title, author="Lycée & Cie", on=date(2026, 9, 1))
    return Filling(name="x", values=known | values, variant=variant, properties=properties)


def text_of(content: bytes) -> str:
    """Read every text of a document, headers and footers too, as another reader does."""
    texts = []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        for name in sorted(archive.namelist()):
            if re.fullmatch(r"word/(document|header\d|footer\d)\.xml", name):
                root = ElementTree.fromstring(archive.read(name))  # noqa: S314 - our own file
                for paragraph in root.iter(W + "p"):
                    texts.append("".join(t.text or "" for t in paragraph.iter(W + "t")))
    return "\n".join(texts)


@pytest.mark.parametrize("slug", CONVENTIONS)
def test_the_text_is_that_of_docxtpl(slug: str) -> None:
    """Two fillers, one text: what docxtpl writes in a strict, escaping environment."""
    for variant in library.load(slug).manifest.variants:
        wanted = filling(slug, variant.name, eleve_nom="Dupont & Fils <b>")
        peer = DocxTemplate(library.load(slug).folder / "body.docx")
        context = wanted.values | {
            each.name: each.name == variant.name for each in library.load(slug).manifest.variants
        }
        peer.render(context, Environment(autoescape=True, undefined=StrictUndefined))
        stream = io.BytesIO()
        peer.save(stream)
        ours = text_of(MODELS[slug].fill(wanted))
        assert ours == text_of(stream.getvalue())
        assert len(ours) > 7_000


def test_filling_is_five_times_as_fast_as_docxtpl_at_least() -> None:
    path, wanted = models.TEMPLATE.folder / "body.docx", filling()
    ours = bench._milliseconds(lambda index: MODELS[PUPIL].fill(wanted), 20)
    peer = bench._milliseconds(lambda index: bench._docxtpl(path, wanted), 3)
    assert peer > 5 * ours


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_arrives_exact(name: str) -> None:
    before = text_of(MODELS[PUPIL].fill(filling()))
    after = text_of(MODELS[PUPIL].fill(filling(eleve_nom=name)))
    assert f"Nom de famille\u00a0: {name}" in after
    assert len(after.splitlines()) == len(before.splitlines())


@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: text == text.strip()))
def test_any_value_arrives_exact_or_is_refused(name: str) -> None:
    if has_invisible(name):
        with pytest.raises(ValuesRejected):
            MODELS[PUPIL].fill(filling(eleve_nom=name))
    else:
        assert f"Nom de famille\u00a0: {name}\n" in text_of(
            MODELS[PUPIL].fill(filling(eleve_nom=name))
        )


@pytest.mark.parametrize("mark", ["\x00", "\x0b", "\u202e", "\u200b", "\n", "\ud800"])
def test_a_character_of_control_is_refused(mark: str) -> None:
    with pytest.raises(ValuesRejected) as refused:
        MODELS[PUPIL].fill(filling(eleve_nom=f"DUPONT{mark}"))
    assert "DUPONT" not in str(refused.value)


def test_a_value_that_is_missing_is_refused() -> None:
    values = {name: value for name, value in filling().values.items() if name != "pret_fin"}
    lacking = Filling(name="x", values=values, variant="mineur", properties=filling().properties)
    with pytest.raises(ValuesRejected, match="pret_fin"):
        MODELS[PUPIL].fill(lacking)


def test_a_blank_is_dots_on_paper_and_false_in_a_condition() -> None:
    content = models.with_text("A{% if eleve_nom_usage %}B{% endif %}{{ eleve_nom_usage|upper }}C")
    model = Model(content, models.TEMPLATE.manifest)
    assert f"\nA{wordtags.DOTS}C\n" in text_of(model.fill(filling(eleve_nom_usage="")))
    assert "\nABLÉAC\n" in text_of(model.fill(filling(eleve_nom_usage="léa")))


def test_the_same_values_give_the_same_bytes() -> None:
    again = Model(models.OURS, models.TEMPLATE.manifest)
    assert MODELS[PUPIL].fill(filling()) == again.fill(filling())


def test_properties_are_given_and_escaped_once() -> None:
    properties = Document(io.BytesIO(MODELS[PUPIL].fill(filling()))).core_properties
    assert properties.title == "Convention A & B <c>"
    assert properties.author == properties.last_modified_by == "Lycée & Cie"
    assert properties.created.date() == date(2026, 9, 1)
    assert properties.language == "fr-FR"


def test_only_the_variant_that_suits_is_shown() -> None:
    minor = text_of(MODELS[PUPIL].fill(filling(variant="mineur")))
    adult = text_of(MODELS[PUPIL].fill(filling(variant="majeur")))
    assert "Mme LAVIGNE Hélène" in minor
    assert "Signature du représentant légal" in minor
    assert "Hélène" not in adult
    assert "représentant légal" not in adult
    assert "représentants légaux" not in adult


def test_tags_that_word_cut_in_runs_are_joined() -> None:
    runs = ("{", "{ eleve", "_nom", " }", "}")
    xml = "<w:p>" + "".join(f"<w:r><w:t>{run}</w:t></w:r>" for run in runs) + "</w:p>"
    model = Model(models.with_xml(xml), models.TEMPLATE.manifest)
    assert "\nDUPONT-LAVIGNE\n" in text_of(model.fill(filling()))


def test_a_school_gets_its_own_model_back_with_the_tags_of_loans() -> None:
    given_back = prefill(models.OURS, {"etablissement_nom": "Lycée A & B"}, filling().properties)
    text = text_of(given_back)
    assert "Lycée A & B" in text
    assert "{{ eleve_nom }}" in text
    assert "{{ etablissement_nom }}" not in text
    model = Model(given_back, models.TEMPLATE.manifest)
    assert "Lycée A & B" in text_of(model.fill(filling(etablissement_nom="autre")))


@pytest.mark.parametrize("given_model", [False, True])
def test_a_class_in_one_file_starts_each_document_anew(tmp_path: Path, given_model: bool) -> None:
    model = models.written(tmp_path / "m.docx", models.OURS) if given_model else None
    names = ["ALPHA", "BETA", "GAMMA"]
    wanted = [filling(eleve_nom=name, etablissement_nom=f"Lycée {name}") for name in names]
    word.fill(models.TEMPLATE, wanted, tmp_path, given=model, merged="all.docx")
    content = (tmp_path / "all.docx").read_bytes()
    alone = [text_of(MODELS[PUPIL].fill(each)) for each in wanted]
    bodies = "".join(one.split("\nVersion")[0] for one in alone)
    assert bodies.replace("\n", "") in text_of(content).replace("\n", "")
    document = Document(io.BytesIO(content))
    assert [s.header.paragraphs[0].text.split("\t")[0] for s in document.sections] == [
        f"Lycée {name}" for name in names
    ]
    starts = [each._sectPr.find("{*}pgNumType") for each in document.sections]
    assert [start.get(next(iter(start.attrib))) for start in starts] == ["1", "1", "1"]
    assert b"SECTIONPAGES" in read_package(content)["word/footer1.xml"]


def test_a_merged_model_keeps_no_footnote() -> None:
    content = models.with_xml('<w:p><w:r><w:footnoteReference w:id="2"/></w:r></w:p>')
    model = Model(content, models.TEMPLATE.manifest)
    parts = {each.name: each for each in model.filled_parts(filling())}
    with pytest.raises(TemplateRejected, match="notes de bas de page"):
        wordmerge.merge([parts])


@pytest.mark.parametrize("slug", WORDED)
def test_the_model_is_made_of_its_text(slug: str) -> None:
    """What was reviewed is what is shipped."""
    template = library.load(slug)
    text, manifest = template.text("texte.md"), template.manifest
    made = conventions.build(text, manifest.title, manifest.version)
    assert made == (template.folder / "body.docx").read_bytes()


def test_the_marks_of_a_text_become_named_styles() -> None:
    text = """@entete Titre courant
        > À lire d’abord
        + **Un sujet.** Et ce qu’on en dit à {{ chef_nom }}.
        @lignes Pour signer
        | Fait le | {{ date }} |
        | Signature | | 24 |"""
    made = Document(io.BytesIO(conventions.build(text, "Titre", "2026.1")))
    assert made.sections[0].header.paragraphs[0].text == "{{ etablissement_nom }}\tTitre courant"
    note, numbered, _, end = made.paragraphs
    assert (note.style.name, note.text) == ("Note", "À lire d’abord")
    assert numbered.style.name == "Paragraphe numéroté"
    assert [(run.style.name, run.text) for run in numbered.runs] == [
        ("Strong", "Un sujet."),
        ("Default Paragraph Font", " Et ce qu’on en dit à "),
        ("Champ", "{{ chef_nom }}"),
        ("Default Paragraph Font", "."),
    ]
    (table,) = made.tables
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert rows == [["Fait le", "{{ date }}"], ["Signature", ""]]
    assert [row.height and round(row.height.mm) for row in table.rows] == [None, 24]
    assert end._p.getprevious() is table._tbl


def test_paragraphs_alone_are_numbered_by_word_in_roman_figures() -> None:
    made = Document(io.BytesIO(conventions.build("+ Un\n+ Deux", "Titre", "2026.1")))
    (number,) = made.styles["Paragraphe numéroté"].element.iter(W + "numId")
    lists = made.part.numbering_part.element
    own = [
        each
        for each in lists.iter(W + "abstractNum")
        if each.get(W + "abstractNumId") == number.get(W + "val")
    ]
    assert [each.get(W + "val") for each in own[0].iter(W + "numFmt")] == ["upperRoman"]


@pytest.mark.parametrize("slug", CONVENTIONS)
def test_the_model_is_written_as_word_wants(slug: str) -> None:
    """Named styles, headings, numbering by Word, heading rows, French, page x/y."""
    path = library.load(slug).folder / "body.docx"
    document = Document(str(path))
    used = [paragraph.style.name for paragraph in document.paragraphs]
    assert used.count("Article") >= 12
    assert document.styles["Article"].base_style.name == "Heading 1"
    assert {"Title", "Subtitle", "Alinéa", "Puce", "Heading 1"} <= set(used)
    assert not any(re.match(r"Article|\d+\.", each.text) for each in document.paragraphs)
    parts = read_package(path.read_bytes())
    assert b'w:lang w:val="fr-FR"' in parts["word/styles.xml"]
    assert b"<w:tblHeader/>" in parts["word/document.xml"]
    assert {b"PAGE", b"NUMPAGES"} <= set(re.findall(rb"[A-Z]{4,}", parts["word/footer1.xml"]))


@pytest.mark.parametrize("slug", WORDED)
def test_headings_go_down_level_by_level(slug: str) -> None:
    """A screen reader tells the plan of a document by the levels of its headings: from 1, whole."""
    document = Document(str(library.load(slug).folder / "body.docx"))
    levels = []
    for paragraph in document.paragraphs:
        style = paragraph.style
        while style is not None and not style.name.startswith("Heading"):
            style = style.base_style
        levels += [int(style.name[-1])] if style is not None else []
    assert levels[0] == 1
    assert all(now <= before + 1 for before, now in pairwise(levels))


@pytest.mark.parametrize("slug", CONVENTIONS)
def test_a_usage_name_is_a_line_only_for_who_has_one(slug: str) -> None:
    name = f"{'eleve' if slug == PUPIL else 'agent'}_nom"
    variant = library.load(slug).manifest.variants[0].name
    blank = dict.fromkeys(filling(slug).values, "")
    for values, shown in (
        ({f"{name}_usage": "LÉA"}, "Nom d’usage\u00a0: LÉA\n"),
        ({f"{name}_usage": ""}, ""),
        (blank, f"Nom d’usage\u00a0: {wordtags.DOTS}\n"),
    ):
        text = text_of(MODELS[slug].fill(filling(slug, variant, **values)))
        assert (shown in text) if shown else ("Nom d’usage" not in text)


@pytest.mark.parametrize("slug", CONVENTIONS)
def test_what_is_left_blank_can_be_written_by_hand(slug: str) -> None:
    """Handwriting takes 7 mm; what is the school's is always typed."""
    document = Document(str(library.load(slug).folder / "body.docx"))
    loans = re.compile(r"\{\{ (?!etablissement_|chef_)\w+ \}\}")
    rows = [row for table in document.tables for row in table.rows]
    written = [row for row in rows if any(loans.search(cell.text) for cell in row.cells)]
    assert len(written) >= 7
    assert [row.height.mm >= 6.9 if row.height else False for row in written] == [True] * len(
        written
    )


TYPOGRAPHY = {
    "straight apostrophe": r"['\"]",
    "colon": r"(?<!\u00a0):",
    "high sign": r"(?<!\u202f)[;!?]",
    "quotation mark": r"«(?!\u00a0)|(?<!\u00a0)»",
    "n°": r"n°(?!\u00a0)",
    "article": r"[Aa]rticles? \d",
}


@pytest.mark.parametrize("slug", WORDED)
@pytest.mark.parametrize("fault", TYPOGRAPHY)
def test_the_text_obeys_french_typography(slug: str, fault: str) -> None:
    lines = text_of((library.load(slug).folder / "body.docx").read_bytes()).splitlines()
    bare = [re.sub(r"\{[{%].*?[%}]\}", "", line) for line in lines]
    assert [line for line in bare if re.search(TYPOGRAPHY[fault], line)] == []
