"""SIECLE pupils: every oddity of the exports, accepted, corrected aloud or refused."""

from datetime import date
from pathlib import Path
from time import process_time
from zipfile import ZipFile

import pytest

from docgen.rosters import read
from samples.generate import generate
from samples.people import people, school
from tests.hostile.exports import (
    BORN,
    HEADER,
    NAME,
    document,
    guardians,
    in_class,
    load,
    pupil,
    pupils,
    refused,
)


def notices(folder: Path, *texts: str | bytes) -> str:
    return "\n".join(load(folder, *texts).notices)


def test_a_pupil_is_read_whole(tmp_path: Path) -> None:
    body = (
        "<ID_NATIONAL>070000001AB</ID_NATIONAL><NOM_DE_FAMILLE>D'ARC</NOM_DE_FAMILLE>"
        "<NOM_USAGE>ROUX</NOM_USAGE><PRENOM>Léa</PRENOM><CODE_SEXE>2</CODE_SEXE>" + BORN
    )
    roster = load(tmp_path, pupils(pupil(body)))
    (person,) = roster.people
    assert (person.id, person.ine, person.family_name) == ("101", "070000001AB", "D'ARC")
    assert (person.usage_name, person.first_name, person.civility) == ("ROUX", "Léa", "Mme")
    assert (person.birth_date, person.division) == (date(2010, 3, 12), "2DE 1")
    assert roster.school_year == "2026-2027"


def test_the_class_is_the_structure_of_type_d_wherever_it_stands(tmp_path: Path) -> None:
    text = pupils(structures=in_class("G:_301P1", "G:LATIN", "D:301"))
    assert load(tmp_path, text).people[0].division == "301"


@pytest.mark.parametrize("code", ["4 D", "301", "T STMG 2", "1RE  G"])
def test_a_class_code_is_kept_as_text(tmp_path: Path, code: str) -> None:
    assert load(tmp_path, pupils(structures=in_class(f"D:{code}"))).people[0].division == code


def test_a_repeated_row_of_structures_is_one_class(tmp_path: Path) -> None:
    text = pupils(structures=in_class("D:2DE 1") * 2)
    assert load(tmp_path, text).people[0].division == "2DE 1"


def test_two_classes_are_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, pupils(structures=in_class("D:2DE 1", "D:2DE 2")))
    assert "ELEVE_ID 101" in problem
    assert "2DE 1 et 2DE 2" in problem


def test_pupils_without_a_class_are_refused_with_their_ids(tmp_path: Path) -> None:
    rows = pupil() + pupil(key="102") + pupil(key="103")
    problems = refused(tmp_path, pupils(rows, in_class("D:2DE 1") + in_class("G:LATIN", key="102")))
    assert len(problems) == 2
    assert "ELEVE_ID 102" in problems[0]
    assert "ELEVE_ID 103" in problems[1]
    assert all("pas de classe" in problem for problem in problems)


def test_the_class_inactifs_is_set_aside_with_a_notice(tmp_path: Path) -> None:
    structures = in_class("D:2DE 1") + in_class("D:Inactifs", key="102")
    roster = load(tmp_path, pupils(pupil() + pupil(key="102"), structures))
    assert [person.id for person in roster.people] == ["101"]
    assert any("« Inactifs »" in notice and "102" in notice for notice in roster.notices)


def test_inactifs_beside_a_real_class_is_ignored(tmp_path: Path) -> None:
    text = pupils(structures=in_class("D:INACTIFS", "D:2DE 1"))
    assert load(tmp_path, text).people[0].division == "2DE 1"


@pytest.mark.parametrize("day", ["10/09/2026", "14/09/2026", "03/07/2026", "31/08/2026"])
def test_a_pupil_who_left_is_set_aside_with_a_notice(tmp_path: Path, day: str) -> None:
    gone = pupil(NAME + BORN + f"<DATE_SORTIE>{day}</DATE_SORTIE>", key="102")
    roster = load(tmp_path, pupils(pupil() + gone))
    assert [person.id for person in roster.people] == ["101"]
    assert any("ont quitté" in notice and "102" in notice for notice in roster.notices)


def test_a_pupil_who_will_leave_is_kept(tmp_path: Path) -> None:
    text = pupils(pupil(NAME + BORN + "<DATE_SORTIE>04/07/2027</DATE_SORTIE>"))
    assert len(load(tmp_path, text).people) == 1


def test_july_is_past_for_an_export_made_in_june_for_the_next_year(tmp_path: Path) -> None:
    header = HEADER.replace("14/09/2026", "10/06/2026")
    gone = pupil(NAME + BORN + "<DATE_SORTIE>05/07/2026</DATE_SORTIE>", key="102")
    assert len(load(tmp_path, pupils(pupil() + gone, header=header)).people) == 1


def test_a_leaving_date_needs_the_date_of_the_export(tmp_path: Path) -> None:
    gone = pupil(NAME + BORN + "<DATE_SORTIE>05/07/2026</DATE_SORTIE>")
    (problem,) = refused(tmp_path, pupils(gone, header="<UAJ>0130010R</UAJ>"))
    assert "ni son année ni sa date" in problem


def test_the_horodatage_stands_for_a_missing_export_date(tmp_path: Path) -> None:
    header = "<UAJ>0130010R</UAJ><HORODATAGE>14/09/2026 19:04:11</HORODATAGE>"
    gone = pupil(NAME + BORN + "<DATE_SORTIE>10/09/2026</DATE_SORTIE>", key="102")
    assert len(load(tmp_path, pupils(pupil() + gone, header=header)).people) == 1


@pytest.mark.parametrize("year", ["", "0000", "26", "deux mille"])
def test_an_odd_school_year_is_left_blank(tmp_path: Path, year: str) -> None:
    header = HEADER.replace(">2026<", f">{year}<")
    assert load(tmp_path, pupils(header=header)).school_year == ""


def test_the_single_name_of_before_2016_is_read(tmp_path: Path) -> None:
    text = pupils(pupil("<NOM>MARTIN</NOM><PRENOM>Léa</PRENOM>" + BORN))
    assert load(tmp_path, text).people[0].family_name == "MARTIN"


def test_an_empty_element_is_a_missing_one(tmp_path: Path) -> None:
    empty = "<NOM_USAGE></NOM_USAGE><ID_NATIONAL/><DATE_SORTIE> </DATE_SORTIE>"
    (person,) = load(tmp_path, pupils(pupil(NAME + BORN + empty))).people
    assert (person.usage_name, person.ine) == ("", "")


@pytest.mark.parametrize("missing", ["NOM_DE_FAMILLE", "PRENOM", "DATE_NAISS"])
def test_what_a_document_cannot_do_without_is_asked_for(tmp_path: Path, missing: str) -> None:
    body = (NAME + BORN).replace(f"<{missing}>", "<AUTRE>").replace(f"</{missing}>", "</AUTRE>")
    (problem,) = refused(tmp_path, pupils(pupil(body)))
    assert "manque" in problem


@pytest.mark.parametrize("day", ["2010-3-12x", "31/02/2010", "12/03/0010"])
def test_a_birth_date_that_is_none_is_refused(tmp_path: Path, day: str) -> None:
    (problem,) = refused(tmp_path, pupils(pupil(NAME + f"<DATE_NAISS>{day}</DATE_NAISS>")))
    assert "date de naissance" in problem


def test_the_elenoet_is_rebuilt_to_name_the_pupil_in_a_problem(tmp_path: Path) -> None:
    body = "<ID_ELEVE_ETAB>03275130010</ID_ELEVE_ETAB>" + NAME
    (problem,) = refused(tmp_path, pupils(pupil(body)))
    assert problem.startswith("export0.xml, ELEVE_ID 101 (élève n° 3275) :")


def test_two_pupils_with_one_ine_are_refused(tmp_path: Path) -> None:
    body = "<ID_NATIONAL>070000001AB</ID_NATIONAL>" + NAME + BORN
    structures = in_class("D:2DE 1") + in_class("D:2DE 1", key="102")
    (problem,) = refused(tmp_path, pupils(pupil(body) + pupil(body, key="102"), structures))
    assert "ELEVE_ID 101" in problem
    assert "ELEVE_ID 102" in problem


def test_an_ine_of_unknown_shape_is_kept_with_a_notice(tmp_path: Path) -> None:
    roster = load(tmp_path, pupils(pupil("<ID_NATIONAL>123</ID_NATIONAL>" + NAME + BORN)))
    assert roster.people[0].ine == "123"
    assert any("INE" in notice for notice in roster.notices)


def test_one_pupil_twice_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, pupils(pupil() * 2))
    assert "ELEVE_ID 101 : cet élève s’y trouve deux fois." in problem


@pytest.mark.parametrize("key", ["", "070000001AB", "../etc", "Léa MARTIN"])
def test_an_id_that_cannot_be_printed_is_refused(tmp_path: Path, key: str) -> None:
    (problem,) = refused(tmp_path, pupils(pupil() + pupil(key=key)))
    assert "ELEVE_ID utilisable" in problem
    assert not key or key not in problem


def test_a_lost_letter_in_a_name_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, pupils(pupil(NAME.replace("MARTIN", "MART?N") + BORN)))
    assert "point d’interrogation" in problem
    assert "ELEVE_ID 101" in problem


def test_a_lost_letter_in_an_address_is_a_notice(tmp_path: Path) -> None:
    line = "<LIGNE1_ADRESSE>RUE D? BAC</LIGNE1_ADRESSE>"
    address = f'<ADRESSES><ADRESSE ADRESSE_ID="9">{line}</ADRESSE></ADRESSES>'
    assert "ADRESSE_ID 9" in notices(tmp_path, pupils(more=address))


def test_the_level_comes_from_the_course_not_from_the_class_name(tmp_path: Path) -> None:
    mef = "<CODE_MEF>20010018110</CODE_MEF>"
    label = "<LIBELLE_LONG>2NDE GT</LIBELLE_LONG><LIBELLE_EDITION>2nde générale</LIBELLE_EDITION>"
    names = document("BEE_NOMENCLATURES", f'<MEFS><MEF CODE_MEF="20010018110">{label}</MEF></MEFS>')
    assert (
        load(tmp_path, names, pupils(pupil(NAME + BORN + mef))).people[0].level == "2nde générale"
    )


def test_the_level_of_a_class_of_one_course_serves_a_pupil_without_any(tmp_path: Path) -> None:
    mefs = "<MEF_APPARTENANCE><CODE_MEF>200</CODE_MEF></MEF_APPARTENANCE>"
    classes = document(
        "BEE_STRUCTURES",
        f'<DIVISIONS><DIVISION CODE_STRUCTURE="2DE 1">{mefs}</DIVISION></DIVISIONS>',
    )
    label = "<FORMATION>2nde</FORMATION>"
    names = document("BEE_NOMENCLATURES", f'<MEFS><MEF CODE_MEF="200">{label}</MEF></MEFS>')
    assert load(tmp_path, classes, names, pupils()).people[0].level == "2nde"


def test_a_class_or_a_course_that_is_unknown_is_a_notice(tmp_path: Path) -> None:
    classes = document("BEE_STRUCTURES", '<DIVISIONS><DIVISION CODE_STRUCTURE="1RE"/></DIVISIONS>')
    names = document(
        "BEE_NOMENCLATURES", '<MEFS><MEF CODE_MEF="1"><FORMATION>x</FORMATION></MEF></MEFS>'
    )
    text = pupils(pupil(NAME + BORN + "<CODE_MEF>2</CODE_MEF>"))
    told = notices(tmp_path, classes, names, text)
    assert "« 2DE 1 », absente de Structures" in told
    assert "formation 2, absente de Nomenclature" in told


def test_communs_is_accepted(tmp_path: Path) -> None:
    assert load(tmp_path, pupils(), document("BEE_COMMUN", "<UAJ/>")).people


def test_people_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    keys = ["9", "101", "2", "30"]
    rows = "".join(pupil(key=key) for key in keys)
    structures = "".join(in_class("D:2DE 1", key=key) for key in reversed(keys))
    assert [p.id for p in load(tmp_path, pupils(rows, structures)).people] == keys


def test_the_file_of_another_school_is_refused_with_both_uais(tmp_path: Path) -> None:
    text = pupils(header=HEADER.replace("0130010R", "0750680G"))
    (problem,) = refused(tmp_path, text)
    assert "0750680G" in problem
    assert "0130010R" in problem


def test_a_file_that_names_no_school_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, pupils(header=HEADER.partition("</UAJ>")[2]))
    assert "UAJ" in problem


def test_files_of_two_years_are_refused(tmp_path: Path) -> None:
    other = document("BEE_STRUCTURES", "", HEADER.replace(">2026<", ">2025<"))
    (problem,) = refused(tmp_path, pupils(), other)
    assert "2025" in problem
    assert "2026" in problem


def test_two_files_of_pupils_are_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, pupils(), pupils())
    assert "même sorte que export0.xml" in problem


def test_guardians_without_pupils_are_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, guardians("", ""))
    assert "ElevesAvecAdresses" in problem


@pytest.mark.parametrize(
    ("root", "words"),
    [
        ("EDT_STS", "emp_sts"),
        ("STS_EDT", "sts_emp"),
        ("ficAlimMENESR", "AAF"),
        ("BEE_GEOGRAPHIQUE", "BEE_GEOGRAPHIQUE"),
        ("facture", "n’est pas un export de SIECLE"),
    ],
)
def test_another_file_is_refused_and_the_wanted_one_named(
    tmp_path: Path, root: str, words: str
) -> None:
    (problem,) = refused(tmp_path, f"<{root}><a/></{root}>")
    assert words in problem
    assert "ElevesAvecAdresses" in problem


def test_teachers_are_not_sought_in_siecle(tmp_path: Path) -> None:
    problems = refused(tmp_path, pupils(), audience="teacher")
    assert any("Pour les professeurs" in problem for problem in problems)


@pytest.mark.parametrize(
    ("name", "encoding", "declared"),
    [
        ("LECŒUR €", "iso8859-15", "ISO-8859-15"),
        ("LECŒUR", "iso8859-15", "ISO-8859-1"),
        ("LECŒUR", "utf-8", "UTF-8"),
        ("LECŒUR", "cp1252", "windows-1252"),
        ("ÉLÉONORE", "utf-16", "UTF-16"),
    ],
)
def test_a_true_declaration_needs_no_notice(
    tmp_path: Path, name: str, encoding: str, declared: str
) -> None:
    text = pupils(pupil(NAME.replace("MARTIN", name) + BORN)).replace("ISO-8859-15", declared)
    roster = load(tmp_path, text.encode(encoding))
    assert roster.people[0].family_name == name
    assert not any("déclaré" in notice for notice in roster.notices)


@pytest.mark.parametrize(
    ("encoding", "declared", "found"),
    [
        ("utf-8-sig", "ISO-8859-15", "UTF-8"),
        ("utf-8", "ISO-8859-15", "UTF-8"),
        ("iso8859-15", "UTF-8", "ISO-8859-15"),
        ("cp1252", "UTF-8", "ISO-8859-15"),
    ],
)
def test_a_lying_declaration_is_corrected_with_a_notice(
    tmp_path: Path, encoding: str, declared: str, found: str
) -> None:
    text = pupils(pupil(NAME.replace("MARTIN", "LECŒUR É") + BORN)).replace("ISO-8859-15", declared)
    roster = load(tmp_path, text.encode(encoding))
    assert roster.people[0].family_name == "LECŒUR É"
    assert any(f"déclaré en {declared}" in n and f"lu en {found}" in n for n in roster.notices)


def test_a_zip_is_read_whatever_its_names_and_what_macos_adds(tmp_path: Path) -> None:
    path = tmp_path / "n’importe.quoi"
    with ZipFile(path, "w") as archive:
        archive.writestr("__MACOSX/._Eleves.xml", b"\x00\x05\x16\x07")
        archive.writestr("dossier/.DS_Store", b"\x00")
        archive.writestr("lisez-moi.txt", "bonjour")
        archive.writestr("dossier/Œuvre.dat", pupils().encode("iso8859-15"))
    roster = read([path], school=school(), audience="pupil")
    assert len(roster.people) == 1
    assert any("1 fichier(s) de l’archive ignoré(s)" in notice for notice in roster.notices)


@pytest.fixture(scope="module")
def lycee(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lycee")
    generate(folder)
    return folder


FILES = ("ElevesAvecAdresses", "ResponsablesAvecAdresses", "Structures", "Nomenclature")


def test_a_whole_lycee_comes_back_in_any_order_of_files(lycee: Path) -> None:
    paths = [lycee / f"{name}.xml" for name in FILES]
    wanted = tuple(people(1050, classes=42))
    for order in (paths, paths[::-1]):
        assert read(order, school=school(), audience="pupil").people == wanted


def test_a_whole_lycee_is_read_in_half_a_second(lycee: Path) -> None:
    paths = [lycee / f"{name}.xml" for name in FILES]
    times = []
    for _ in range(3):  # the best of three, in processor time: other work shares the machine
        start = process_time()
        read(paths, school=school(), audience="pupil")
        times.append(process_time() - start)
    assert min(times) < 0.5
