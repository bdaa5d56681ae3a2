"""One document from named values: checked whole, coded, the same bytes each time."""

import re
import tomllib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from docgen import single
from docgen.datafolder import data_folder
from docgen.errors import (
    FieldDoesNotFit,
    InvalidInput,
    LayoutOverflows,
    MissingGlyph,
    TemplateRejected,
    ValuesRejected,
)
from docgen.library import Template, load
from docgen.pagecode import Key, parse_reference
from docgen.rendering import pictures
from tests.helpers import KEY, PERSON, SHELF, bound, codes_of, job, refusal, text_of

NOTICE = load("avis", SHELF)
LIST = load("liste-emargement")
PEOPLE = [{"family_name": "ESSAI", "first_name": "Zoé", "serial": "HGA70KX3", "charter": True}]
VALUES: dict[str, Any] = {"school_name": "Lycée d’Essai", "class_name": "2DE 1", "people": PEOPLE}


def filled(template: Template, given: dict[str, Any], key: Key = KEY, **options: str) -> Any:  # noqa: ANN401
    return single.fill(template, given, key, data_folder() / "cache", **options)


def sample(slug: str) -> dict[str, Any]:
    return tomllib.loads(load(slug).text("sample.toml"))


@pytest.mark.parametrize(
    ("template", "values"), [(NOTICE, {"name": "ESSAI Zoé"}), (LIST, VALUES)], ids=["press", "flow"]
)
def test_the_same_values_make_the_same_bytes_and_others_another_document(
    template: Template, values: dict[str, Any]
) -> None:
    first = filled(template, values)
    assert filled(template, dict(reversed(values.items()))) == first
    name = next(iter(values))
    other = filled(template, values | {name: "Autre"})
    assert other.reference != first.reference
    assert filled(template, values, Key(2, b"another")).reference != first.reference
    assert parse_reference(first.reference) == first.reference


@pytest.mark.parametrize(
    ("template", "values"), [(NOTICE, {"name": "ESSAI Zoé"}), (LIST, VALUES)], ids=["press", "flow"]
)
def test_every_side_carries_its_codes_and_the_reference(
    template: Template, values: dict[str, Any]
) -> None:
    document = filled(template, values)
    number = single.read_values(template, values).number(KEY)
    picture = next(iter(pictures.greys(document.content, 150)))
    found = {(code.document, code.side, code.corner) for code in codes_of(picture)}
    assert found == {(number, 1, 0), (number, 1, 1)}
    assert document.reference in text_of(document.content, 1)


def test_a_preview_is_the_print() -> None:
    made = job([PERSON])
    content, _ = bound(made)
    (document,) = made.documents()
    values = {**made.run.constants, **document.copy.values}
    template = made.order.template
    preview = filled(template, values, layout="entier", variant="mineur")
    for page in (1, 2, 3):
        printed = text_of(content, page).replace(document.copy.reference, preview.reference)
        assert text_of(preview.content, page) == printed


def test_all_the_problems_are_told_at_once() -> None:
    given = {
        "stranger": "x",
        "Un Nom DE FAMILLE": "x",
        "school_uai": "0049998A",
        "people": [{"family_name": "", "serial": "HGA!"}, {"serial": 3, "age": "1"}],
    }
    problems = refusal(lambda: filled(LIST, given), ValuesRejected)
    assert [(each.where, each.what) for each in problems] == [
        ("valeurs", "le champ « stranger » n’existe pas."),
        ("valeurs", "le champ « … » n’existe pas."),
        ("valeurs", "« Nom de l’établissement » : cette valeur est obligatoire et manque."),
        ("valeurs", "« Numéro UAI de l’établissement » : la lettre de l’UAI « 0049998A » est "
         "fausse : 0049998 appelle W."),
        ("valeurs, Bénéficiaires, ligne 2", "le champ « age » n’existe pas."),
        ("valeurs, Bénéficiaires, ligne 2", "« Numéro de série » : un texte est attendu."),
    ]  # fmt: skip


def test_problems_of_rows_are_told_by_their_number() -> None:
    rows = [*PEOPLE, {"family_name": "ESSAI", "serial": "HGA!"}]
    (problem,) = refusal(lambda: filled(LIST, VALUES | {"people": rows}), ValuesRejected)
    assert problem.where == "valeurs, Bénéficiaires, ligne 2"
    assert "Numéro de série" in problem.what


@pytest.mark.parametrize("value", ["x", {"a": 1}, ["x"], [[]], 3])
def test_a_list_of_another_shape_is_refused(value: object) -> None:
    (problem,) = refusal(lambda: filled(LIST, VALUES | {"people": value}), ValuesRejected)
    assert problem.what == "« Bénéficiaires » : une liste de lignes est attendue."


def test_a_variant_is_asked_for_when_there_are_several() -> None:
    given = sample("attestation-honneur-besoin-tablette")
    template = load("attestation-honneur-besoin-tablette")
    (problem,) = refusal(lambda: filled(template, given), ValuesRejected)
    assert problem.what == "la variante manque."
    assert problem.remedy == "Choisissez : mineur, majeur."
    (problem,) = refusal(lambda: filled(template, given, variant="vieux"), ValuesRejected)
    assert problem.what == "la variante « vieux » n’existe pas."
    minor, adult = (filled(template, given, variant=name) for name in ("mineur", "majeur"))
    assert minor.reference != adult.reference
    assert "représentant légal" in text_of(minor.content, 1)
    assert "représentant légal" not in text_of(adult.content, 1)


def test_an_unknown_layout_is_refused() -> None:
    refusal(lambda: filled(NOTICE, {"name": "x"}, layout="A3"), TemplateRejected)


def test_a_value_that_does_not_fit_is_refused() -> None:
    (problem,) = refusal(lambda: filled(NOTICE, {"name": "W" * 120}), FieldDoesNotFit)
    assert "ne tiennent pas" in problem.what


@pytest.mark.parametrize(
    ("template", "values"),
    [(NOTICE, {"name": "日"}), (LIST, VALUES | {"people": [{"family_name": "日"}] * 2})],
    ids=["press", "flow"],
)
def test_a_character_that_the_font_lacks_is_refused(
    template: Template, values: dict[str, Any]
) -> None:
    (problem,) = refusal(lambda: filled(template, values), MissingGlyph)
    assert "U+65E5" in problem.what


def test_a_document_of_more_sides_than_a_code_can_count_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(single, "MOST_SIDES", 1)
    rows = PEOPLE * 30
    (problem,) = refusal(lambda: filled(LIST, VALUES | {"people": rows}), LayoutOverflows)
    assert problem.what == "2 faces, pour 1 au plus."


def test_a_word_model_is_not_filled_as_a_pdf() -> None:
    template = load("convention-pret-eleve")
    (problem,) = refusal(lambda: filled(template, {}), InvalidInput)
    assert problem.what == "ce modèle ne se remplit pas en PDF."


@pytest.mark.parametrize("count", [17, 18, 40, 60])
def test_a_list_goes_on_with_its_header_and_its_last_page_has_rows(count: int) -> None:
    rows = [PEOPLE[0] | {"family_name": f"ESSAI {n}"} for n in range(1, count + 1)]
    content = filled(LIST, VALUES | {"people": rows}).content
    texts = [
        text_of(content, page) for page in range(1, len(PdfReader(BytesIO(content)).pages) + 1)
    ]
    pages = [text for text in texts if text.strip()]  # the last verso may be blank
    for number, page in enumerate(pages, 1):
        assert f"page {number}/{len(pages)}" in page
        assert page.count("Signature") == 1
        assert "2DE 1" in page.split("Signature")[0]
        assert "ESSAI " in page
    assert "certifie" in pages[-1]
    found = [int(number) for number in re.findall(r"ESSAI (\d+)", "".join(pages))]
    assert found == list(range(1, count + 1))


def test_what_people_type_is_set_in_french_and_names_are_not() -> None:
    given = VALUES | {
        "handover_place": "Salle d'étude, de 9h30 à 10h",
        "people": [{"family_name": "D'ESSAI", "serial": "HGA70KX3"}],
    }
    text = text_of(filled(LIST, given).content, 1)
    assert "Salle d’étude, de 9 h 30 à 10 h" in text  # the reader shows plain spaces
    assert "D'ESSAI" in text


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "JSON illisible (ligne 1)."),
        (b"\xff\xfe{", "JSON illisible (il n’est pas en UTF-8)."),
        (b"[1]", "un objet JSON est attendu."),
        (b"[" * 100_000, "JSON illisible (trop profond)."),
        (b'{"a": ' + b"9" * 5000 + b"}", "JSON illisible (nombre trop long)."),
        (b'{"name": "a", "name": "b"}', "un champ est donné deux fois."),
        (b'{"rows": [{"a": 1, "a": 1}]}', "un champ est donné deux fois."),
    ],
)
def test_a_file_that_holds_no_values_is_refused(content: bytes, told: str) -> None:
    (problem,) = refusal(lambda: single.parse_values(content), ValuesRejected)
    assert problem.what == told


def test_values_are_read_from_json() -> None:
    assert single.parse_values('{"name": "Zoé"}'.encode()) == {"name": "Zoé"}
    assert single.parse_values(b"\xef\xbb\xbf{}") == {}


def test_nothing_is_kept_but_forms_and_tables(tmp_path: Path) -> None:
    single.fill(NOTICE, {"name": "ESSAI Zoé"}, KEY, tmp_path)
    names = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert ".pdf" not in names
    assert not any(b"ESSAI" in path.read_bytes() for path in tmp_path.rglob("*.form"))
