"""An order made ready: who is printed, in which order, in which variant, under which reference."""

from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docgen import library, pagecode
from docgen.datafolder import data_folder
from docgen.errors import InvalidInput, Problem, ValuesRejected
from docgen.pagecode import Key
from docgen.press import Job, Order, folded, natural, prepare, select
from docgen.records import Cession, Device, Person, Roster
from docgen.rendering.printfile import Document
from samples.people import school
from tests.helpers import KEY, ON, PERSON, SHELF, edited, job, order, people, refusal

BORN = date(2008, 9, 14)  # eighteen on ON


def drawn(made: Job) -> list[Document]:
    documents = list(made.documents())
    assert made.problems == []
    assert len(documents) == made.count
    return documents


def named(*names: str, **changes: str) -> list[Person]:
    return [replace(PERSON, id=name, family_name=name, **changes) for name in names]


def ids(persons: list[Person]) -> list[str]:
    return [person.id for person in persons]


# --- order of printing


@pytest.mark.parametrize(
    "names",
    [
        ["2DE 1", "2DE 2", "2DE 10", "2DE 11"],
        ["1RE G1", "2DE 1", "301", "302", "1001", "T G1", "T STMG 2", "T STMG 10"],
        ["", "2", "10", "A"],
        ["2DE A", "2de b", "2DÉ C"],
    ],
)
def test_classes_follow_one_another_as_people_count(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(backwards, key=natural) == names


@given(st.lists(st.text("0129 aAéÉ-.²", max_size=6)))
def test_any_classes_can_be_put_in_order(names: list[str]) -> None:
    assert Counter(sorted(names, key=natural)) == Counter(names)


@pytest.mark.parametrize("name", ["፩", "𐩀"])
def test_a_class_named_in_figures_of_another_script_does_no_harm(name: str) -> None:
    assert natural(name)


@pytest.mark.parametrize(
    "names",
    [
        ["EBERT", "Éclair", "EDOUARD", "élise"],
        ["DE LA TOUR", "DE-LA TOUR Z", "DELATOUR"],
        ["MARTIN", "MARTIN DUPONT", "MARTINEZ"],
        ["NUNEZ A", "NUÑEZ B", "NUNEZ C"],
    ],
)
def test_names_follow_one_another_without_accents_case_or_hyphens(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(backwards, key=folded) == names


@pytest.mark.parametrize(
    "names", [["LECLERC", "LECŒUR", "LECOQ"], ["LUC", "ŁUKA", "LULLY"], ["OR", "ØRE", "OS"]]
)
def test_a_letter_with_no_accent_to_take_off_is_filed_where_it_is_looked_for(
    names: list[str],
) -> None:
    backwards = names[::-1]
    assert sorted(backwards, key=folded) == names


def test_people_are_printed_by_class_then_by_name_then_by_first_name() -> None:
    persons = [
        replace(PERSON, id="4", division="2DE 10", family_name="ABEL"),
        replace(PERSON, id="3", division="2DE 2", family_name="ZOLA"),
        replace(PERSON, id="2", division="2DE 2", family_name="ABEL", first_name="Zoé"),
        replace(PERSON, id="1", division="2DE 2", family_name="ABEL", first_name="Éva"),
    ]
    assert ids(select(order(persons))) == ["1", "2", "3", "4"]


def test_people_may_be_printed_by_name_alone() -> None:
    persons = [
        replace(PERSON, id="2", division="2DE 1", family_name="ZOLA"),
        replace(PERSON, id="1", division="2DE 2", family_name="ABEL"),
    ]
    assert ids(select(order(persons, ordering="name"))) == ["1", "2"]
    assert ids(select(order(persons, ordering="class"))) == ["2", "1"]


def test_somebody_is_filed_under_the_name_that_is_used() -> None:
    persons = [replace(PERSON, id="1", family_name="ABEL", usage_name="ZOLA"), *named("MARTIN")]
    assert ids(select(order(persons))) == ["MARTIN", "1"]
    assert [each.title for each in job(persons).documents()] == ["MARTIN Zoé", "ZOLA Zoé"]


def test_namesakes_are_told_apart_by_their_id_whatever_the_file_order() -> None:
    persons = [replace(PERSON, id=each) for each in ("3", "1", "2")]
    assert ids(select(order(persons))) == ["1", "2", "3"]


def test_two_classes_that_are_counted_alike_are_not_mixed() -> None:
    persons = [
        *named("A1", "C1", division="2DE 1"),
        *named("B2", "D2", division="2DE 01"),
    ]
    divisions = [person.division for person in select(order(persons))]
    assert sum(one != two for one, two in pairwise(divisions)) == 1


# --- who is printed


def test_only_the_classes_asked_for_are_printed() -> None:
    persons = [replace(PERSON, id=name, division=name) for name in ("2DE 1", "2DE 2", "2DE 3")]
    chosen = select(order(persons, classes=("2DE 3", "2DE 1")))
    assert ids(chosen) == ["2DE 1", "2DE 3"]


def test_all_the_unknown_classes_are_named_and_the_known_ones_listed() -> None:
    persons = [replace(PERSON, id=name, division=name) for name in ("2DE 10", "2DE 2")]
    asked = order(persons, classes=("2DE 1", "2DE 2", "2de 2", ""))
    remedy = "Classes connues : 2DE 2, 2DE 10."
    assert refusal(lambda: select(asked), InvalidInput) == (
        Problem("la classe « 2DE 1 » n’existe pas.", "--class", remedy),
        Problem("la classe « 2de 2 » n’existe pas.", "--class", remedy),
        Problem("la classe «  » n’existe pas.", "--class", remedy),
    )


def test_nobody_to_print_for_is_told() -> None:
    (problem,) = refusal(lambda: select(order([])), InvalidInput)
    assert problem.what.startswith("Personne à imprimer")
    (unknown,) = refusal(lambda: select(order([], classes=("2DE 1",))), InvalidInput)
    assert unknown.remedy == "Classes connues : aucune."


# --- which variant


@pytest.mark.parametrize(
    ("born", "on", "variant"),
    [
        (date(2008, 9, 14), date(2026, 9, 13), "mineur"),  # the eve
        (date(2008, 9, 14), date(2026, 9, 14), "majeur"),  # the day
        (date(2008, 9, 14), date(2026, 9, 15), "majeur"),
        (date(2008, 2, 29), date(2026, 2, 28), "mineur"),
        (date(2008, 2, 29), date(2026, 3, 1), "majeur"),
        (date(2010, 1, 31), date(2028, 1, 30), "mineur"),
        (date(2008, 12, 31), date(2027, 1, 1), "majeur"),
        (date(1960, 1, 1), date(2026, 9, 14), "majeur"),
    ],
)
def test_age_on_the_day_decides_the_variant(born: date, on: date, variant: str) -> None:
    (document,) = drawn(job([replace(PERSON, birth_date=born)], on=on))
    assert document.copy.variant == variant


@pytest.mark.parametrize(
    ("ceded", "variant"),
    [(date(2026, 9, 13), "mineur"), (date(2026, 9, 14), "majeur"), (None, "majeur")],
)
def test_the_day_of_a_cession_decides_when_it_is_known(ceded: date | None, variant: str) -> None:
    roster = Roster(
        (replace(PERSON, birth_date=BORN),),
        cessions={PERSON.id: Cession("HA100001", PERSON.id, ceded)},
    )
    (document,) = drawn(job([], roster=roster, on=ON))
    assert document.copy.variant == variant


def test_people_without_a_birth_date_are_left_out_and_all_told() -> None:
    persons = [
        replace(PERSON, id="1", birth_date=None),
        replace(PERSON, id="2"),
        replace(PERSON, id="3", birth_date=None),
    ]
    made = job(persons)
    assert [each.person for each in made.documents()] == ["2"]
    what = "la date de naissance manque : on ne sait pas si la personne est majeure."
    remedy = "Complétez-la dans le fichier de l’établissement."
    assert made.problems == [
        Problem(what, "personne 1", remedy),
        Problem(what, "personne 3", remedy),
    ]
    assert made.count == 3


def test_a_template_for_everybody_needs_no_birth_date() -> None:
    notice = library.load("avis", SHELF)
    made = prepare(
        Order(notice, notice.manifest.layouts[0], school(),
              Roster((replace(PERSON, birth_date=None),)), ON),
        KEY,
        data_folder() / "cache",
    )  # fmt: skip
    (document,) = drawn(made)
    assert document.copy.variant == "tous"
    assert document.copy.values == {"name": "ESSAI Zoé", "function": ""}


def test_a_variant_for_minors_beside_one_for_everybody_is_for_minors_alone(tmp_path: Path) -> None:
    template = edited(tmp_path, {"manifest.toml": [('when = "adult"', 'when = "always"')]})
    made = job([replace(PERSON, birth_date=date(1990, 1, 1))], template=template)
    (document,) = drawn(made)
    assert document.copy.variant == "majeur"


# --- values


def test_values_come_from_the_records() -> None:
    roster = Roster(
        (PERSON,),
        devices={"HA100001": Device("HA100001", "Tablette")},
        cessions={"E1": Cession("HA100001", "E1", ON)},
    )
    (document,) = drawn(job([], roster=roster))
    assert document.copy.values == {
        "family_name": "ESSAI",
        "first_name": "Zoé",
        "birth_date": "1er mars 2010",
        "division": "2DE 1",
        "guardian": "ESSAI Odile",
        "serial": "HA100001",
    }
    assert document.copy.where == "personne E1"


def test_refused_values_of_everybody_are_gathered() -> None:
    persons = [
        replace(PERSON, id="1", family_name=""),
        replace(PERSON, id="2", family_name="x" * 61, first_name="\u202e"),
    ]
    made = job(persons)
    assert list(made.documents()) == []
    assert [(each.where, each.what.partition(" : ")[0]) for each in made.problems] == [
        ("personne 1", "« Nom »"),
        ("personne 2", "« Nom »"),
        ("personne 2", "« Prénom »"),
    ]


def test_refused_values_of_the_school_stop_the_order_at_once() -> None:
    nameless = replace(school(), name="")
    problems = refusal(lambda: job([PERSON], school=nameless), ValuesRejected)
    assert [(each.where, each.what) for each in problems] == [
        ("établissement 0130010R", "« Établissement » : cette valeur est obligatoire et manque.")
    ]


# --- copies and marks


@pytest.mark.parametrize(
    ("copies", "marks"),
    [
        (0, [""]),
        (1, [""]),
        (2, ["Exemplaire établissement", "Exemplaire famille"]),
        (3, ["Exemplaire établissement", "Exemplaire famille", "Exemplaire 3"]),
    ],
)
def test_copies_bear_the_marks_of_the_template(copies: int, marks: list[str]) -> None:
    made = job(people(2), copies=copies)
    assert [each.copy.mark for each in drawn(made)] == marks * 2


def test_a_template_may_ask_for_more_copies_of_itself(tmp_path: Path) -> None:
    twice = [('version = "1"', 'version = "1"\ndefault_copies = 2')]
    template = edited(tmp_path, {"manifest.toml": twice})
    assert order([PERSON], template=template).marks == (
        "Exemplaire établissement",
        "Exemplaire famille",
    )
    assert order([PERSON], template=template, copies=1).marks == ("",)


# --- numbers and references


def numbers(made: Job) -> dict[str, tuple[bytes, str]]:
    return {each.person: (each.number, each.copy.reference) for each in drawn(made)}


def test_a_document_keeps_its_number_whoever_is_printed_with_it_until_it_says_otherwise() -> None:
    persons = people(5)
    whole = numbers(job(persons))
    assert numbers(job(persons[2:3])) == {"E0002": whole["E0002"]}
    assert numbers(job([replace(persons[2], first_name="Léa")]))["E0002"] != whole["E0002"]


def test_a_reference_is_that_of_its_number() -> None:
    for number, reference in numbers(job(people(5))).values():
        assert reference == pagecode.reference("PC", number)
        assert pagecode.parse_reference(reference) == reference


def test_what_makes_a_document_another_one_changes_its_number(tmp_path: Path) -> None:
    newer = edited(tmp_path, {"manifest.toml": [('version = "1"', 'version = "2"')]})
    one = [PERSON]
    year = Roster((PERSON,), school_year="2026-2027")
    made = [
        job(one),
        job(one, "reduction"),
        job(one, template=newer),
        job(one, school=replace(school(), uai="0130011S")),
        job([], roster=year),
        job([replace(PERSON, id="E2")]),
        prepare(order(one), Key(KEY.number, b"another secret"), data_folder() / "cache"),
    ]
    found = [document.number for each in made for document in each.documents()]
    found += [document.number for document in job(one, copies=2).documents()]
    assert len(set(found)) == len(found) == 9


def test_no_reference_comes_twice_even_when_they_are_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    derive = pagecode.document_number

    def few(key: Key, *facts: str) -> bytes:
        """Leave 64 references in all."""
        return bytes(3) + bytes([derive(key, *facts)[0] & 0xFC]) + derive(key, *facts)[4:]

    monkeypatch.setattr(pagecode, "document_number", few)
    made = job(people(40))
    references = [each.copy.reference for each in drawn(made)]
    assert len(set(references)) == 40
    assert references == [each.copy.reference for each in drawn(job(people(40)))]
    assert [pagecode.reference("PC", each.number) for each in drawn(made)] == references


def test_too_many_documents_for_the_references_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagecode, "document_number", lambda key, *facts: bytes(6))
    made = job(people(2))
    (problem,) = refusal(lambda: list(made.documents()), InvalidInput)
    assert problem.what.startswith("Trop de documents dans un lot")


def test_separators_are_refused_when_classes_are_mixed() -> None:
    (problem,) = refusal(lambda: job([PERSON], separators=True, ordering="name"), InvalidInput)
    assert problem.where == "--separators"


def test_a_template_that_is_not_for_the_press_names_the_command_that_makes_it() -> None:
    for slug, command in (("liste-emargement", "fill"), ("convention-pret-eleve", "word")):
        template = library.load(slug)
        layout = template.manifest.layouts[0].name
        (problem,) = refusal(
            lambda t=template, name=layout: job([PERSON], name, template=t),  # type: ignore[misc]
            InvalidInput,
        )
        assert problem.remedy == f"Employez docgen {command}."
