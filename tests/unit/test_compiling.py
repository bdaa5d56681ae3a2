"""A layout compiled: pages that promise holds, slots where WeasyPrint itself writes values."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from docgen.errors import LayoutOverflows, Problem, TemplateRejected
from docgen.library import Template
from docgen.rendering import flow
from docgen.rendering.compiling import compile_form, from_pdf, greyed
from docgen.rendering.filling import Copy
from docgen.rendering.form import Form
from docgen.rendering.imposition import MM
from docgen.rendering.printfile import Document
from docgen.rendering.typesetting import Typesetter
from tests.helpers import PERSON, bound, edited, job, poppler, refusal, small_charter, with_body


def compiled(template: Template) -> Form:
    return compile_form(template, template.manifest.layouts[0], "sum")


@pytest.fixture(scope="module")
def form() -> Form:
    return compiled(small_charter())


def test_a_form_has_the_pages_of_each_variant(form: Form) -> None:
    assert form.checksum == "sum"
    assert {name: len(variant.pages) for name, variant in form.variants.items()} == {
        "mineur": 3,
        "majeur": 3,
    }
    assert (form.width, form.height) == pytest.approx((210 * MM, 297 * MM), abs=0.01)


def test_each_slot_is_on_its_page_with_its_size_and_lines(form: Form) -> None:
    found = [
        [(slot.field, round(slot.size, 3), slot.lines) for slot in page.slots]
        for page in form.variants["mineur"].pages
    ]
    assert found == [
        [
            ("school_name", 11, 1),
            ("campaign", 11, 1),
            ("family_name", 12, 1),
            ("first_name", 12, 1),
            ("division", 8, 1),
        ],
        [("guardian", 9, 2), ("birth_date", 11, 1), ("family_name", 11, 1)],
        [("serial", 11, 1)],
    ]
    assert [slot.field for slot in form.variants["majeur"].pages[1].slots] == [
        "birth_date",
        "family_name",
    ]


def test_a_slot_is_as_wide_and_as_spaced_as_its_style_says(form: Form) -> None:
    slots = {slot.field: slot for page in form.variants["mineur"].pages for slot in page.slots}
    assert slots["campaign"].width == pytest.approx(50 * MM, abs=0.01)
    assert slots["guardian"].width == pytest.approx(60 * MM, abs=0.01)
    assert slots["guardian"].leading == pytest.approx(13.5, abs=0.01)
    assert slots["school_name"].x == pytest.approx(27 * MM, abs=0.01)


def test_zones_are_where_somebody_signs(form: Form) -> None:
    zones = {zone.name: zone for zone in form.variants["mineur"].zones}
    assert list(zones) == ["pupil", "guardian"]
    assert [zone.name for zone in form.variants["majeur"].zones] == ["pupil"]
    pupil = zones["pupil"]
    assert (pupil.page, round(pupil.x / MM, 1)) == (2, 27.2)  # inside a border of half a point
    assert (pupil.width, pupil.height) == pytest.approx((70 * MM, 25 * MM), abs=0.01)
    assert zones["guardian"].y == pytest.approx(pupil.y - 30 * MM - 1, abs=0.05)


def test_a_form_knows_all_the_slots_of_a_field_in_order(form: Form) -> None:
    pages = form.variants["mineur"].pages
    assert form.slots("mineur", "family_name") == [pages[0].slots[2], pages[1].slots[2]]
    assert form.slots("majeur", "guardian") == []


def test_pages_alike_are_kept_once(tmp_path: Path) -> None:
    edits = [
        ("Petite charte, {{ variant }}", "Petite charte"),
        ('<p class="serial">', "<p>{{ variant }}</p><p>"),
    ]
    shared = compiled(edited(tmp_path, {"body.html": edits}))
    minor, adult = shared.variants["mineur"].pages, shared.variants["majeur"].pages
    assert minor[0].xobject == adult[0].xobject
    assert minor[2].xobject != adult[2].xobject


def test_the_font_of_values_is_not_among_the_fonts_of_static_pages(form: Form) -> None:
    names = re.findall(rb"/BaseFont\s*/\w+\+([\w-]+)", form.objects)
    assert names
    assert all(name.startswith(b"Source-Sans-Pro") for name in names)
    assert b"/Widget" not in form.objects
    assert b"/Annot" not in form.objects


def test_objects_start_where_the_form_says(form: Form) -> None:
    for number, offset in enumerate(form.offsets, 1):
        assert form.objects[offset:].startswith(b"%d 0 obj" % number)
    assert form.objects.count(b" 0 obj") == len(form.offsets)


def test_a_form_is_the_same_each_time(form: Form) -> None:
    assert compiled(small_charter()) == form


def test_a_broken_promise_names_the_layout_and_the_variant(tmp_path: Path) -> None:
    more = '{% if variant == "majeur" %}<section>De trop.</section>{% endif %}</body>'
    template = edited(tmp_path, {"body.html": [("</body>", more)]})
    assert refusal(lambda: compiled(template), LayoutOverflows) == (
        Problem(
            "4 pages au lieu de 3.",
            "petite-charte, entier, majeur",
            "Revoyez le texte ou la feuille de style.",
        ),
    )


def test_every_variant_that_breaks_the_promise_is_told(tmp_path: Path) -> None:
    template = edited(tmp_path, {"style.css": [("break-before: page", "break-before: auto")]})
    problems = refusal(lambda: compiled(template), LayoutOverflows)
    assert [each.what for each in problems] == ["1 pages au lieu de 3."] * 2


@pytest.mark.parametrize(
    "inner",
    [
        "<input>",
        "<input name=nickname>",
        "<input name='nickname/1'>",
        "<input name='signature:mayor/1'>",
        "<select name=q><option>1</select>",
        "<textarea name=remark></textarea>",
        "{{ field('name', 0) }}",
        "{{ field('name', 'two') }}",
    ],
)
def test_a_box_that_no_pen_drew_is_a_fault_of_the_template(tmp_path: Path, inner: str) -> None:
    template = with_body(tmp_path, inner)
    with pytest.raises(TemplateRejected):
        compiled(template)


LONG = "DE LA ROCHE-ESSAI DE SAINT-EXEMPLE"
VALUES = {
    "school_name": "Lycée Jean Perrin",
    "campaign": "",
    "family_name": f"{LONG} DE SAINT",  # whole in a cell, then shrunk in a tall line
    "first_name": "Zoé-Marie",
    "division": "2DE 1",
    "guardian": f"Mme {LONG} Marie-Antoinette",  # two lines
    "birth_date": "1er mars 2010",
    "serial": "HA100001",
}
SHRUNK_LINES = {**VALUES, "guardian": f"Mme {LONG} Marie-Antoinette Joséphine Gertrude"}
Word = tuple[str, float, float, float, float]


def words(content: bytes, page: int) -> list[Word]:
    """Give the words of a page with their boxes, as poppler sees them; codes' words left out."""
    text = poppler("pdftotext", content, "-bbox", "-f", str(page), "-l", str(page))
    pattern = r'<word xMin="(.+?)" yMin="(.+?)" xMax="(.+?)" yMax="(.+?)">(.*?)</word>'
    found = [(word, *map(float, box)) for *box, word in re.findall(pattern, text)]
    return sorted(each for each in found if each[2] < 700)  # under: the reference and the side


@pytest.mark.parametrize("values", [VALUES, SHRUNK_LINES], ids=["plain", "shrunk on two lines"])
@pytest.mark.parametrize("variant", [0, 1], ids=["minor", "adult"])
def test_a_value_stands_where_weasyprint_would_write_it(
    values: dict[str, str], variant: int
) -> None:
    person = job([PERSON])
    form, setter = person.run.form, Typesetter()
    manifest = small_charter().manifest
    name = manifest.variants[variant].name
    shares = {}

    def fit(field: str, occurrence: int, value: str) -> tuple[float, list[str]]:
        slot = form.slots(name, field)[occurrence]
        setting = setter.fit(value, slot.width / slot.size, slot.lines)
        assert setting
        shares[field, occurrence] = (round(setting.share, 2), len(setting.lines))
        return setting.share, [line.text for line in setting.lines]

    pen = flow.ValuePen(values, fit)
    laid_out = flow.render(small_charter(), manifest.layouts[0], manifest.variants[variant], pen)
    whole = laid_out.write_pdf()
    document = Document("x", "", "", bytes(6), Copy("x", name, values, "PC-0000-0000"))
    filled, volume = bound(person, [document])
    assert (volume.unfit, volume.missing) == ((), ())
    for page in (1, 2, 3):
        expected, found = words(whole, page), words(filled, page)
        assert [word for word, *_ in found] == [word for word, *_ in expected]
        for (_, *ours), (_, *theirs) in zip(found, expected, strict=True):
            assert ours == pytest.approx(theirs, abs=0.2)
    assert shares["family_name", 0] == (1.0, 1)
    assert shares["family_name", 1][0] < 1
    if name == "mineur":
        assert shares["guardian", 0] == ((1.0, 2) if values is VALUES else (0.95, 2))


def test_a_value_shrunk_in_a_cell_keeps_its_baseline() -> None:
    person = job([PERSON])
    boxes = []
    for name in ("COURT", "COURT " * 9):
        values = {**VALUES, "first_name": name.strip()}
        document = Document("x", "", "", bytes(6), Copy("x", "mineur", values, "PC-0000-0000"))
        content, volume = bound(person, [document])
        assert volume.unfit == ()
        boxes.append([word for word in words(content, 1) if word[0] == "COURT"])
    (whole,), shrunk = boxes
    ascent, descent = 0.984, 0.273
    assert len(shrunk) == 9
    for _, _, top, _, bottom in shrunk:
        size = (bottom - top) / (ascent + descent)
        assert size < 12 * 0.99
        assert bottom - descent * size == pytest.approx(whole[4] - descent * 12, abs=0.2)


def test_greys_are_printed_with_one_ink() -> None:
    content = b"0 0 0 rg 0.33 0.33 0.33 RG 1 0 0 rg 0.5 0.5 0.51 rg 10 0 0 rg 1 1 1 rg"
    assert greyed(content) == b"0 g 0.33 G 1 0 0 rg 0.5 0.5 0.51 rg 10 0 0 rg 1 g"


def test_no_colour_of_three_inks_is_left_in_the_pages(form: Form) -> None:
    person = job([PERSON])
    content, _ = bound(person)
    for page in PdfReader(BytesIO(content)).pages:
        for static in page["/Resources"]["/XObject"].values():
            assert not re.search(rb"\b(rg|RG)\b", static.get_object().get_data())


def test_a_whole_document_becomes_a_form_without_slots() -> None:
    folder = small_charter().folder
    one, two = (
        from_pdf(flow.document(f"<p>Un.</p>{more}", [], [folder]).write_pdf())
        for more in ("", "<p style='break-before:page'>Deux.</p>")
    )
    assert [page.slots for page in two.variants[""].pages] == [(), ()]
    assert len(one.variants[""].pages) == 1
    assert one.checksum != two.checksum
