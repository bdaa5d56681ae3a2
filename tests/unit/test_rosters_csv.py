"""Pupils and teachers of CSV files: titles, encodings, delimiters, cells, identities."""

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import process_time
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docgen.errors import RosterRejected
from docgen.records import Roster
from docgen.rosters import read
from samples.people import people, school

PUPILS = "Nom de famille;Prénom;Date de naissance;Classe;INE\n"
LEA = "MARTIN;Léa;12/03/2010;2DE 1;070000001AB\n"


def pupils(tmp_path: Path, text: str | bytes, name: str = "eleves.csv") -> Roster:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read([path], school=school(), audience="pupil")


def refused(tmp_path: Path, text: str | bytes) -> list[str]:
    with pytest.raises(RosterRejected) as caught:
        pupils(tmp_path, text)
    return [str(problem) for problem in caught.value.problems]


def test_a_pupil_is_read_whole(tmp_path: Path) -> None:
    text = (
        "Identifiant;Nom de famille;Nom d'usage;Prénom;Date de naissance;Classe;INE;Civilité;"
        "Représentant légal 1;Représentant légal 2;N° de série;Niveau\n"
        "E7;MARTIN;ROUX;Léa;12/03/2010;2DE 1;070000001ab;Mlle;"
        "Mme ROUX Anne;M. MARTIN Luc;HA100;2nde\n"
    )
    roster = pupils(tmp_path, text)
    (person,) = roster.people
    assert (person.id, person.family_name, person.usage_name) == ("E7", "MARTIN", "ROUX")
    assert (person.first_name, person.birth_date) == ("Léa", date(2010, 3, 12))
    assert (person.division, person.level, person.ine) == ("2DE 1", "2nde", "070000001AB")
    assert person.civility == "Mme"
    assert [guardian.full_name for guardian in person.guardians] == [
        "Mme ROUX Anne",
        "M. MARTIN Luc",
    ]
    assert roster.cessions["E7"].serial == "HA100"
    assert roster.cessions["E7"].ceded_date is None


def test_a_teacher_needs_neither_class_nor_birth_date(tmp_path: Path) -> None:
    path = tmp_path / "professeurs.csv"
    path.write_text("Nom;Prénom;Fonction;Discipline\nROUX;Anne;Professeure;Anglais\n")
    (person,) = read([path], school=school(), audience="teacher").people
    assert (person.division, person.birth_date) == ("", None)
    assert person.function == "Professeure, Anglais"


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_delimiter_and_encoding_are_found(tmp_path: Path, delimiter: str, encoding: str) -> None:
    text = (PUPILS + "LECŒUR;Zoé;12/03/2010;2DE 1;\n").replace(";", delimiter)
    assert pupils(tmp_path, text.encode(encoding)).people[0].family_name == "LECŒUR"


def test_titles_are_matched_without_accents_capitals_or_order(tmp_path: Path) -> None:
    text = "CLASSE;ine;PRENOM;Ville;DATE DE NAISSANCE;nom\n2DE 1;;Léa;Aix;2010-03-12;MARTIN\n"
    (person,) = pupils(tmp_path, text).people
    assert (person.family_name, person.birth_date) == ("MARTIN", date(2010, 3, 12))


def test_every_missing_column_is_told(tmp_path: Path) -> None:
    problems = refused(tmp_path, "Nom;Ville\nMARTIN;Aix\n")
    assert len(problems) == 3
    for title in ("Prénom", "Date de naissance", "Classe"):
        assert any(f"« {title} » manque" in problem for problem in problems)


def test_titles_may_stand_below_a_heading(tmp_path: Path) -> None:
    problems = refused(tmp_path, "Lycée Jean Perrin\n\n" + PUPILS + "MARTIN;;12/03/2010;2DE 1;\n")
    assert problems == ["eleves.csv, ligne 4 : « Prénom » est vide. Complétez la cellule."]


def test_excel_s_own_first_line_is_skipped(tmp_path: Path) -> None:
    text = ("sep=,\n" + PUPILS + LEA).replace(";", ",")
    assert len(pupils(tmp_path, text).people) == 1


def test_a_quoted_new_line_is_part_of_its_cell(tmp_path: Path) -> None:
    text = PUPILS + 'MARTIN;"Léa\nRose";12/03/2010;2DE 1;\nROUX;;12/03/2010;2DE 1;\n'
    assert refused(tmp_path, text)[0].startswith("eleves.csv, ligne 3 :")


def test_a_quote_left_open_is_told_with_its_line(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, PUPILS + LEA + 'ROUX;"Anne;12/03/2010;2DE 1;\n' + LEA * 3)
    assert problem.startswith("eleves.csv, ligne 3 : les guillemets")


def test_a_delimiter_inside_a_cell_is_told(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, PUPILS + "MARTIN;Léa;Rose;12/03/2010;2DE 1;070000001AB\n")
    assert "6 cellules pour 5 titres" in problem


def test_forced_text_of_excel_is_undone(tmp_path: Path) -> None:
    text = PUPILS + 'MARTIN;Léa;12/03/2010;="301";\n'
    assert pupils(tmp_path, text).people[0].division == "301"


@pytest.mark.parametrize("cell", ["=A1", '=HYPERLINK("x")', "#REF!", "#NOM?", "#N/A", "########"])
def test_a_formula_or_an_error_is_told_with_its_cell(tmp_path: Path, cell: str) -> None:
    text = PUPILS + f'"{cell.replace(chr(34), chr(34) * 2)}";Léa;12/03/2010;2DE 1;\n'
    assert any("la cellule A2 contient" in problem for problem in refused(tmp_path, text))


def test_a_formula_in_a_column_that_is_not_read_does_no_harm(tmp_path: Path) -> None:
    text = PUPILS.replace("\n", ";Note\n") + LEA.replace("\n", ";=1+1\n")
    assert len(pupils(tmp_path, text).people) == 1


def test_an_excel_day_number_is_a_date(tmp_path: Path) -> None:
    text = PUPILS + "MARTIN;Léa;40249;2DE 1;\n"
    assert pupils(tmp_path, text).people[0].birth_date == date(2010, 3, 12)


@pytest.mark.parametrize("typed", ["31/02/2010", "12/03/10", "2010", "mars 2010", "12/03/0210"])
def test_what_is_no_date_is_told(tmp_path: Path, typed: str) -> None:
    (problem,) = refused(tmp_path, PUPILS + f"MARTIN;Léa;{typed};2DE 1;\n")
    assert problem == (
        "eleves.csv, ligne 2 : « Date de naissance » n’est pas une date. Écrivez-la jj/mm/aaaa."
    )


@pytest.mark.parametrize(
    "name", ["LEC?UR", "LEC½UR", "ANDRÃ©", "A\u202eB", "A\u0007B", "A\ufffdB", "X" * 101]
)
def test_a_damaged_name_is_told(tmp_path: Path, name: str) -> None:
    (problem,) = refused(tmp_path, PUPILS + f"{name};Léa;12/03/2010;2DE 1;\n")
    assert "« Nom de famille » :" in problem
    assert name not in problem


@pytest.mark.parametrize("name", ["JOÃO", "CONCEIÇÃO", "ÂNGELO", "D'ÂÃ", "<b>ROUX & FILS</b>"])
def test_a_foreign_or_odd_name_is_kept(tmp_path: Path, name: str) -> None:
    assert (
        pupils(tmp_path, PUPILS + f"{name};Léa;12/03/2010;2DE 1;\n").people[0].family_name == name
    )


def test_accents_are_composed_and_blanks_single(tmp_path: Path) -> None:
    text = PUPILS + "MARTIN\u00a0 ROUX ;Le\u0301a;12/03/2010;2DE 1;\n"
    (person,) = pupils(tmp_path, text).people
    assert (person.family_name, person.first_name) == ("MARTIN ROUX", "Léa")


def test_every_problem_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PUPILS + "MARTIN;;;;XX\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("Nom;Prénom\n", encoding="utf-8")
    paths = [tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"]
    with pytest.raises(RosterRejected) as caught:
        read(paths, school=school(), audience="pupil")
    assert len(caught.value.problems) == 4 + 2 + 1


def test_an_id_does_not_change_when_the_sheet_is_sorted(tmp_path: Path) -> None:
    other = "ROUX;Anne;01/02/2009;2DE 1;\n"
    one, two = pupils(tmp_path, PUPILS + LEA + other), pupils(tmp_path, PUPILS + other + LEA)
    assert [person.id for person in one.people] == [person.id for person in two.people][::-1]
    assert all(len(person.id) == 13 and person.id[0] == "p" for person in one.people)


def test_an_id_without_ine_survives_accents_and_capitals(tmp_path: Path) -> None:
    one = pupils(tmp_path, PUPILS + "Lefèvre;Léa;01/02/2009;2DE 1;\n").people[0]
    two = pupils(tmp_path, PUPILS + "LEFEVRE;LEA;2009-02-01;2DE 2;\n").people[0]
    assert one.id == two.id


@pytest.mark.parametrize("identifier", ["lea.martin", "070000001AB", "MARTIN L"])
def test_an_identifier_that_tells_who_it_is_is_never_an_internal_id(
    tmp_path: Path, identifier: str
) -> None:
    text = "Identifiant;" + PUPILS + f"{identifier};MARTIN;Léa;12/03/2010;2DE 1;\n"
    (person,) = pupils(tmp_path, text).people
    assert person.id.startswith("p")
    assert "martin" not in person.id.lower()


@pytest.mark.parametrize(
    "again",
    [
        LEA,
        "Martin;Lea;12/03/2010;2DE 2;070000001AB\n",
        "martin;LEA;12/03/2010;2DE 2;\n",
    ],
)
def test_one_person_twice_is_told_with_both_lines(tmp_path: Path, again: str) -> None:
    for rows in (LEA + again, again + LEA):
        (problem,) = refused(tmp_path, PUPILS + rows)
        assert problem.startswith("eleves.csv, ligne 3 : la même personne que eleves.csv, ligne 2.")


def test_one_ine_for_two_people_is_told_as_such_and_not_shown(tmp_path: Path) -> None:
    other = "ROUX;Anne;01/01/2009;2DE 1;070000001AB\n"
    for rows in (LEA + other, other + LEA):
        (problem,) = refused(tmp_path, PUPILS + rows)
        assert problem.startswith("eleves.csv, ligne 3 : le même INE que eleves.csv, ligne 2")
        assert "la même personne" not in problem
        assert "070000001AB" not in problem


def test_one_id_for_two_people_is_told_as_such(tmp_path: Path) -> None:
    rows = "7;MARTIN;Léa;12/03/2010;2DE 1;\n7;ROUX;Anne;01/01/2009;2DE 1;\n"
    (problem,) = refused(tmp_path, "Identifiant;" + PUPILS + rows)
    assert "ligne 3 : le même identifiant que eleves.csv, ligne 2" in problem


def test_a_column_twice_is_refused_rather_than_one_chosen(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "Nom;" + PUPILS.replace(" de famille", "") + "A;" + LEA)
    assert "« Nom de famille » s’y trouve deux fois" in problem


def test_windows_is_believed_even_without_a_letter_of_its_own(tmp_path: Path) -> None:
    text = PUPILS + "D´ANGELO;Léa;12/03/2010;2DE 1;\n"
    assert pupils(tmp_path, text.encode("cp1252")).people[0].family_name == "D´ANGELO"


@pytest.mark.parametrize("typed", ["9" * 5000, "-1", "99999"])
def test_a_number_that_is_no_day_is_refused(tmp_path: Path, typed: str) -> None:
    (problem,) = refused(tmp_path, PUPILS + f"MARTIN;Léa;{typed};2DE 1;\n")
    assert "n’est pas une date" in problem


def test_namesakes_with_their_own_ine_are_two_people(tmp_path: Path) -> None:
    assert len(pupils(tmp_path, PUPILS + LEA + LEA.replace("001AB", "002AB")).people) == 2


def test_a_table_without_anybody_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, PUPILS)
    assert "personne" in problem


def test_twenty_thousand_lines_are_read_in_two_seconds(tmp_path: Path) -> None:
    rows = [
        f"{p.family_name};{p.first_name};{p.birth_date:%d/%m/%Y};{p.division};{p.ine};{p.id}\n"
        for p in people(20_000)
    ]
    text = PUPILS.replace("\n", ";Identifiant\n") + "".join(rows)
    start = process_time()
    assert len(pupils(tmp_path, text.encode("cp1252")).people) == 20_000
    assert process_time() - start < 2


NAMES = st.text(
    st.characters(codec="cp1252", exclude_categories=("C", "Z"), exclude_characters="?=#½¼¾¤ÃÂÅâ"),
    min_size=1,
    max_size=20,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(
    names=st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=5),
    shape=st.tuples(st.sampled_from(";,\t"), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    case=st.sampled_from([str.upper, str.lower, str.title, str]),
)
def test_any_csv_comes_back_as_it_was_written(
    tmp_path: Path,
    names: list[tuple[str, str]],
    shape: tuple[str, Literal[0, 1]],
    encoding: str,
    case: Callable[[str], str],
) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=shape[0], quoting=shape[1])
    writer.writerow(map(case, ["Identifiant", "Nom", "Prénom", "Date de naissance", "Classe"]))
    for number, (name, first_name) in enumerate(names):
        writer.writerow([f"E{number}", name, first_name, "12/03/2010", "2DE 1"])
    found = pupils(tmp_path, stream.getvalue().encode(encoding)).people
    assert [(p.family_name, p.first_name) for p in found] == names
