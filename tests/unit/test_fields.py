"""Merge fields: values are cleaned and checked, all at once, and never repeated in a message."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docgen.errors import Problem, ValuesRejected
from docgen.fields import Field, clean, parse_date, printed
from docgen.records import Fact
from docgen.typography import date_in_words
from tests.helpers import refusal

TEXT = Field(name="text", label="Texte", max_length=10)
REQUIRED = Field(name="name", label="Nom", required=True)


def problems_of(field: Field, value: Fact) -> list[str]:
    """Give what is wrong with one value, as told."""
    try:
        clean([field], {field.name: value})
    except ValuesRejected as error:
        return [each.what for each in error.problems]
    return []


def test_every_problem_of_all_fields_is_told_at_once_with_its_place() -> None:
    fields = [REQUIRED, TEXT, Field(name="uai", label="UAI", type="uai")]
    values: dict[str, Fact] = {"text": "x" * 11, "uai": "0130010A"}
    assert refusal(lambda: clean(fields, values, "personne 7"), ValuesRejected) == (
        Problem("« Nom » : cette valeur est obligatoire et manque.", "personne 7"),
        Problem("« Texte » : 11 caractères, pour 10 au plus.", "personne 7"),
        Problem("« UAI » : la lettre de l’UAI « 0130010A » est fausse : 0130010 appelle R.",
                "personne 7"),
    )  # fmt: skip


def test_a_value_that_no_field_asks_for_is_left_out() -> None:
    assert clean([TEXT], {"text": "a", "other": "b"}) == {"text": "a"}


@pytest.mark.parametrize("value", [None, "", "   ", "\u00a0"])
def test_a_missing_value_is_a_blank_unless_required(value: Fact) -> None:
    assert clean([TEXT], {"text": value}) == {"text": ""}
    assert problems_of(REQUIRED, value) == ["« Nom » : cette valeur est obligatoire et manque."]


def test_a_field_that_is_not_given_is_a_blank() -> None:
    assert clean([TEXT], {}) == {"text": ""}


def test_accents_are_composed() -> None:
    assert printed("Zoe\u0301 E\u0302") == "Zoé Ê"


def test_length_is_counted_once_accents_are_composed() -> None:
    assert clean([TEXT], {"text": "e\u0301" * 10}) == {"text": "é" * 10}
    assert problems_of(TEXT, "é" * 11) == ["« Texte » : 11 caractères, pour 10 au plus."]


@given(st.text())
def test_what_is_printed_is_printed_the_same_again(text: str) -> None:
    assert printed(printed(text)) == printed(text)


@pytest.mark.parametrize("text", ["DE  LA TOUR", "É  É"])
def test_spaces_in_a_row_become_one(text: str) -> None:
    assert printed(text) == text.replace("  ", " ")


@pytest.mark.parametrize("character", [*map(chr, range(32)), "\x7f"], ids=ascii)
def test_a_control_character_inside_a_value_is_refused(character: str) -> None:
    (what,) = problems_of(TEXT, f"DU{character}PONT")
    assert what.startswith("« Texte » : un caractère invisible")


@pytest.mark.parametrize("character", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_a_mark_that_turns_the_way_of_reading_is_refused(character: str) -> None:
    (what,) = problems_of(TEXT, f"DU{character}PONT")
    assert what.startswith("« Texte » : un caractère invisible")


@pytest.mark.parametrize(
    "character",
    [
        *("\x80", "\x85", "\x9f"),  # C1 controls
        *("\u200e", "\u200f", "\u061c"),  # left-to-right, right-to-left and Arabic letter marks
        *("\u2028", "\u2029"),  # line and paragraph separators
        *("\u200b", "\u2060", "\ufeff", "\u00ad"),  # zero widths, soft hyphen
    ],
    ids=ascii,
)
def test_any_other_invisible_character_is_refused(character: str) -> None:
    assert problems_of(TEXT, f"DU{character}PONT") != []


@pytest.mark.parametrize("character", ["\u034f", "\ufe0f", "\U000e0100", "\u17b4"], ids=ascii)
def test_a_mark_that_prints_as_nothing_is_refused(character: str) -> None:
    assert problems_of(TEXT, f"DU{character}PONT") != []


@pytest.mark.parametrize("text", ["D’É-ö ç", "M.\u00a0A", "x\u0308y", "O\u202fB", "Ỹ"])
def test_what_prints_is_let_through(text: str) -> None:
    assert problems_of(TEXT, text) == []


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 9, 1), "1er septembre 2026"),
        (date(2026, 2, 2), "2 février 2026"),
        (date(2010, 8, 31), "31 août 2010"),
        (date(2011, 12, 11), "11 décembre 2011"),
        (datetime(2026, 1, 1, 23, 59), "1er janvier 2026"),  # noqa: DTZ001
    ],
)
def test_a_date_is_written_in_words(day: date, words: str) -> None:
    assert date_in_words(day) == words
    assert clean([Field(name="d", label="D", type="date")], {"d": day}) == {"d": words}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("01/09/2026", date(2026, 9, 1)),
        (" 2026-09-01 ", date(2026, 9, 1)),
        ("29/02/2024", date(2024, 2, 29)),
        *((text, None) for text in ("29/02/2026", "9/13/2026", "1er mai 2026", "", "20260901")),
    ],
)
def test_a_typed_date_is_read_in_two_shapes_only(text: str, day: date | None) -> None:
    assert parse_date(text) == day


def test_a_text_that_is_no_date_is_refused_by_a_date_field() -> None:
    assert problems_of(Field(name="d", label="D", type="date"), "DUPONT") != []


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("serial", "HA100001", "HA 1"),
        ("serial", "HA10", "HAO1"),
        ("uai", "0130010R", "130010R"),
        ("postal_code", "04000", "4000"),
        ("postal_code", "13010", "1301O"),
    ],
)
def test_typed_fields_refuse_what_is_not_of_their_type(kind: str, good: str, bad: str) -> None:
    field = Field(name="f", label="F", type=kind)  # type: ignore[arg-type]
    assert problems_of(field, good) == []
    assert len(problems_of(field, bad)) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (TEXT, "DUPONTDUPONT"),
        (TEXT, "DUPONT\u202e"),
        pytest.param(
            Field(name="s", label="S", type="serial"),
            "DUPONT",
        ),
    ],
)
def test_a_value_of_a_person_is_never_in_a_message(field: Field, value: str) -> None:
    (what,) = problems_of(field, value)
    assert "DUPONT" not in what


@pytest.mark.parametrize(
    ("source", "constant"),
    [("", True), ("school.name", True), ("school.head.name", True), ("person.class", False)],
)
def test_a_field_of_the_school_or_of_nobody_is_the_same_for_a_run(
    source: str, constant: bool
) -> None:
    assert Field(name="f", label="F", source=source).is_constant is constant
