"""A template laid out whole: what a body may say, what it may read, and the accessible form."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from docgen.errors import TemplateRejected
from docgen.fields import Field
from docgen.library import Template
from docgen.rendering import flow
from docgen.rendering.flow import BlankPen, CompilePen, ValuePen, body_html
from tests.helpers import SHELF, refusal, small_charter, text_of, with_body

HIDDEN = "the secret of another folder"


def render(template: Template) -> object:
    """Lay the small template out, as a compile does."""
    layout, variant = template.manifest.layouts[0], template.manifest.variants[0]
    return flow.render(template, layout, variant, CompilePen())


def html(inner: str, folder: Path) -> str:
    template = with_body(folder, inner)
    layout, variant = template.manifest.layouts[0], template.manifest.variants[0]
    return body_html(template, layout, variant, CompilePen())


def test_a_body_knows_its_title_version_layout_and_variant(tmp_path: Path) -> None:
    text = "{{ title }}|{{ version }}|{{ layout }}|{{ variant }}|"
    assert "Avis d’essai|1|entier|tous|" in html(text, tmp_path)


def test_the_pen_of_a_compile_draws_named_boxes() -> None:
    field = Field(name="guardian", label="Représentant")
    assert CompilePen().field(field, 2) == (
        '<input class="slot" style="height:2lh" name="guardian/2">'
    )
    assert CompilePen().zone("pupil", "<Élève>") == (
        '<input class="slot zone" name="signature:pupil/1" title="&lt;Élève&gt;">'
    )


def test_the_pen_of_a_blank_form_labels_its_boxes() -> None:
    field = Field(name="guardian", label='Le "représentant"')
    one, two = BlankPen().field(field, 1), BlankPen().field(field, 2)
    assert one.startswith("<input ")
    assert two.startswith("<textarea ")
    assert 'title="Le &#34;représentant&#34;"' in one
    assert 'title="Le &#34;représentant&#34;"' in two
    assert "input" not in BlankPen().zone("pupil", "Élève")


def test_the_pen_of_values_writes_them_as_text_never_as_markup() -> None:
    asked = []

    def fit(name: str, occurrence: int, value: str) -> tuple[float, list[str]]:
        asked.append((name, occurrence, value))
        return 0.85, ["<b>A", "& B</b>"]

    pen = ValuePen({"name": "<b>A & B</b>"}, fit)
    drawn = [pen.field(Field(name="name", label="Nom"), 2) for _ in range(2)][1]
    assert asked == [("name", 0, "<b>A & B</b>"), ("name", 1, "<b>A & B</b>")]
    assert "&lt;b&gt;A<br>&amp; B&lt;/b&gt;" in drawn
    assert "font-size:0.85000em" in drawn


def test_the_pen_of_values_leaves_a_line_to_write_on_where_there_is_none() -> None:
    pen = ValuePen({"name": ""}, lambda *_: pytest.fail("nothing to fit"))
    drawn = pen.field(Field(name="name", label="Nom"), 1)
    assert re.sub("<.+?>", "", drawn) == ""
    assert drawn.count("slot-line") == 1


@pytest.mark.parametrize(
    ("inner", "told"),
    [
        ('{{ field("nickname") }}', "champ « nickname » inconnu."),
        ('{{ signature("mayor") }}', "zone de signature « mayor » inconnu."),
    ],
)
def test_an_unknown_field_or_zone_is_refused_with_the_known_ones(
    tmp_path: Path, inner: str, told: str
) -> None:
    template = with_body(tmp_path, inner, "petite-charte")
    (problem,) = refusal(lambda: render(template), TemplateRejected)
    assert (problem.what, problem.where) == (told, "petite-charte")
    known = "pupil, guardian." if "mayor" in inner else "school_name, campaign, family_name,"
    assert problem.remedy.startswith(f"Connus : {known}")


@pytest.mark.parametrize(
    "inner",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}{{ ''.__class__ }}",
        "{{ field.__globals__ }}",
        "{{ field.__closure__ }}",
        "{{ signature.__init__.__globals__ }}",
        "{{ variant|attr('__class__') }}",
        "{{ '{0.__class__}'.format(variant) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ lipsum.__globals__['os'] }}",
        "{{ joiner.__init__ }}",
        "{% set x = namespace() %}{{ x.__class__ }}",
        "{{ nothing_of_that_name }}",
        "{% if %}",
        "{{ 'a' | no_such_filter }}",
        "{{ [].append(1) }}",
        "{{ field.func_code }}{{ field.__code__ }}",
    ],
)
def test_a_body_cannot_walk_from_object_to_object_nor_be_faulty(tmp_path: Path, inner: str) -> None:
    (problem,) = refusal(lambda: html(inner, tmp_path), TemplateRejected)
    assert problem.where == "avis/body.html"
    assert problem.what.startswith("corps du modèle fautif (")


@pytest.mark.parametrize(
    "inner",
    [
        "{{ 1 / 0 }}",
        "{{ field() }}",
        "{{ field('name', 1, 2) }}",
        "{{ title + 1 }}",
        "{{ 3() }}",
        "{% for n in range(10 ** 9) %}{% endfor %}",
        "{% include 'style.css' %}",
        "{% import 'os' as os %}",
    ],
)
def test_any_fault_of_a_body_is_a_fault_of_the_template(tmp_path: Path, inner: str) -> None:
    with pytest.raises(TemplateRejected):
        html(inner, tmp_path)


def test_a_body_that_is_not_utf_8_is_a_fault_of_the_template(tmp_path: Path) -> None:
    template = with_body(tmp_path, "")
    (template.folder / "body.html").write_bytes("é".encode("latin-1"))
    with pytest.raises(TemplateRejected):
        render(template)


ASKED = {
    "picture": "<img src='{}'>",
    "style sheet": "<link rel=stylesheet href='{}'>",
    "import": "<style>@import url('{}');</style>",
    "import of an import": "<style>@import url(\"data:text/css,@import '{}';\");</style>",
    "background": "<style>section {{ background: url('{}') }}</style>",
    "font": "<style>@font-face {{ font-family: z; src: url('{}') }} p {{ font-family: z }}</style>",
    "object": "<object data='{}'></object>",
    "embedded": "<embed src='{}'>",
    "marker": "<ul style=\"list-style-image: url('{}')\"><li>x</ul>",
    "content": "<style>p::before {{ content: url('{}') }}</style>",
}
PLACES = (
    *("file:///etc/passwd", "file://localhost/etc/passwd", "/etc/passwd"),
    *("{outside}", "../../../secret.svg", "..%2f..%2f../secret.svg", "link.svg"),
    *("http://example.org/x", "https://example.org/x", "HTTP://example.org/x"),
    *("ftp://example.org/x", "//example.org/x", "absent.svg"),
)


def with_secret(folder: Path) -> str:
    """Put a secret beside the shelf, and a link to it among the template's own files."""
    secret = folder / "secret.svg"
    secret.write_text(
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 99 9'><text>{HIDDEN}</text></svg>",
        encoding="utf-8",
    )
    template = with_body(folder, "")
    (template.folder / "link.svg").unlink(missing_ok=True)
    (template.folder / "link.svg").symlink_to(secret)
    return secret.as_uri()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", ["picture", "import"])
def test_a_body_reads_nothing_outside_its_shelf(tmp_path: Path, way: str, place: str) -> None:
    place = place.format(outside=with_secret(tmp_path))
    template = with_body(tmp_path, ASKED[way].format(place))
    with pytest.raises(TemplateRejected) as caught:
        render(template)
    (problem,) = caught.value.problems
    assert problem.what.startswith("Le modèle appelle une ressource interdite ou absente (")
    if "example" in place and not place.startswith("/"):
        # Refused before anything is looked up, not by the network guard of the tests.
        assert "disallowed protocol" in str(caught.value.__cause__.__cause__)  # type: ignore[union-attr]


@pytest.mark.parametrize("way", ASKED)
def test_no_way_of_asking_reads_outside_the_shelf(tmp_path: Path, way: str) -> None:
    template = with_body(tmp_path, ASKED[way].format(with_secret(tmp_path)))
    with pytest.raises(TemplateRejected):
        render(template)


@pytest.mark.parametrize("way", ["picture", "import", "background"])
def test_the_case_of_an_address_changes_nothing(tmp_path: Path, way: str) -> None:
    place = with_secret(tmp_path).replace("file:", "FILE:")
    template = with_body(tmp_path, ASKED[way].format(place))
    with pytest.raises(TemplateRejected):
        render(template)


@pytest.mark.parametrize(
    "inner",
    ["<link rel=attachment href='/etc/passwd'>", "<a rel=attachment href='/etc/passwd'>x</a>"],
)
def test_a_body_attaches_no_file(tmp_path: Path, inner: str) -> None:
    template = with_body(tmp_path, inner)
    manifest = template.manifest
    with pytest.raises(TemplateRejected):
        flow.blank(template, manifest.layouts[0], manifest.variants[0])


SVG = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><rect width='9'/></svg>"


def test_a_body_reads_its_own_files_and_those_that_are_shared(tmp_path: Path) -> None:
    names = ("own.svg", "../_commun/kind.svg", "../../_commun/shelf.svg")
    pictures = "".join(f'<img style="width: 9pt" src={name}>' for name in names)
    template = with_body(tmp_path, pictures)
    for name in names:
        path = template.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(SVG, encoding="utf-8")
    assert len(render(template).pages) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("link", ["../_lien", "../../_lien"])
def test_a_shared_folder_that_is_a_link_is_not_read(tmp_path: Path, link: str) -> None:
    template = with_body(tmp_path, f"<img src={link}/secret.svg>")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.svg").write_text(SVG, encoding="utf-8")
    (template.folder / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TemplateRejected):
        render(template)


@pytest.mark.parametrize("place", [".", "../_commun", "../../_commun"])
def test_a_body_includes_its_own_texts_and_those_that_are_shared(
    tmp_path: Path, place: str
) -> None:
    inner = '{% import "blocs.html" as blocs with context %}{{ blocs.shown("<i>") }}'
    template = with_body(tmp_path, inner)
    macro = '{% macro shown(text) %}[{{ text }}{{ field("function") }}]{% endmacro %}'
    path = template.folder / place / "blocs.html"
    path.parent.mkdir(exist_ok=True)
    path.write_text(macro, encoding="utf-8")
    layout, variant = template.manifest.layouts[0], template.manifest.variants[0]
    told = body_html(template, layout, variant, CompilePen())
    assert '[&lt;i&gt;<input class="slot" style="height:1lh" name="function/1">]' in told


@pytest.mark.parametrize(
    "name",
    ["../autre/secret.html", "../../autre/secret.html", "{}/secret.html", "lien.html", "_x/s", ""],
)
def test_a_body_includes_nothing_of_elsewhere(tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    template = with_body(tmp_path, f'{{% include "{name.format(elsewhere)}" %}}')
    shelf = template.folder.parent.parent
    for folder in (elsewhere, shelf / "autre", shelf / "notices" / "autre"):
        folder.mkdir(parents=True)
        (folder / "secret.html").write_text(HIDDEN, encoding="utf-8")
    (template.folder / "lien.html").symlink_to(elsewhere / "secret.html")
    (problem,) = refusal(lambda: render(template), TemplateRejected)
    assert HIDDEN not in str(problem)
    assert problem.what.startswith("corps du modèle fautif")


@pytest.fixture(scope="module")
def blank() -> bytes:
    template = small_charter()
    manifest = template.manifest
    return flow.blank(template, manifest.layouts[0], manifest.variants[0])


def test_the_blank_form_is_tagged_in_french_and_says_that_it_is_accessible(blank: bytes) -> None:
    catalog = PdfReader(BytesIO(blank)).trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"].value is True
    assert catalog["/StructTreeRoot"]["/Type"] == "/StructTreeRoot"
    assert str(catalog["/Lang"]) == "fr"
    xmp = catalog["/Metadata"].get_object().get_data().decode()
    assert "pdfuaid" in xmp
    assert 'pdfuaid:part="1"' in xmp.replace("<pdfuaid:part>1</pdfuaid:part>", 'pdfuaid:part="1"')
    assert "Petite charte d’essai" in xmp


def test_each_box_of_the_blank_form_is_read_aloud_by_its_label(blank: bytes) -> None:
    labels = []
    for page in PdfReader(BytesIO(blank)).pages:
        for reference in page.get("/Annots", ()):
            widget = reference.get_object()
            assert widget["/Subtype"] == "/Widget"
            name = widget.get("/T") or widget["/Parent"]["/T"]
            labels.append((name, widget["/TU"]))
    fields = small_charter().manifest.fields
    again = ("family_name", "Nom")  # shown twice
    assert sorted(labels) == sorted([*((each.name, each.label) for each in fields), again])


def test_a_field_shown_twice_is_one_field_of_the_blank_form(blank: bytes) -> None:
    reader = PdfReader(BytesIO(blank))
    names = [each.get_object()["/T"] for each in reader.trailer["/Root"]["/AcroForm"]["/Fields"]]
    assert sorted(names) == sorted(field.name for field in small_charter().manifest.fields)
    assert reader.get_fields() is not None


def test_the_blank_form_holds_no_value_and_three_pages(blank: bytes) -> None:
    assert len(PdfReader(BytesIO(blank)).pages) == 3
    assert text_of(blank, 1).split() == ["Petite", "charte,", "mineur", "Nom", "Prénom", "Classe"]


def test_the_blank_form_is_the_same_bytes_twice(blank: bytes) -> None:
    template = small_charter()
    manifest = template.manifest
    assert flow.blank(template, manifest.layouts[0], manifest.variants[0]) == blank


def test_the_shelf_of_tests_is_not_that_of_documents() -> None:
    assert small_charter().folder.is_relative_to(SHELF)
