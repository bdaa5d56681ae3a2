"""Teachers of STS-Web: every oddity of a person, accepted, set aside aloud or refused."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docgen.errors import RosterRejected
from docgen.records import Person, Roster
from docgen.rosters import read
from samples.people import school
from tests.hostile import exports
from tests.hostile.exports import MATHS, TEACHER, individual, service, sts


def load(folder: Path, *texts: str | bytes) -> Roster:
    return exports.load(folder, *texts, audience="teacher")


def refused(folder: Path, *texts: str | bytes) -> list[str]:
    return exports.refused(folder, *texts, audience="teacher")


def only(folder: Path, body: str) -> Person:
    (person,) = load(folder, sts(individual(body))).people
    return person


def without(tag: str, body: str = TEACHER + MATHS) -> str:
    return body.replace(f"<{tag}>", "<AUTRE>").replace(f"</{tag}>", "</AUTRE>")


def test_a_teacher_is_read_whole(tmp_path: Path) -> None:
    roster = load(tmp_path, sts())
    assert roster.people == (
        Person(
            id="14001",
            family_name="MARTIN",
            first_name="LÉA",
            birth_date=date(1980, 3, 12),
            civility="Mme",
            function="Professeure, Mathématiques",
        ),
    )
    assert roster.school_year == "2026-2027"
    assert roster.notices == ()


def test_dates_are_iso(tmp_path: Path) -> None:
    body = TEACHER.replace("1980-03-12", "1980-12-03")
    assert only(tmp_path, body).birth_date == date(1980, 12, 3)


def test_a_local_number_may_be_one_of_the_academy(tmp_path: Path) -> None:
    other = TEACHER.replace("MARTIN", "ROUX")
    text = sts(individual(key="7"), individual(other, key="7", kind="local"))
    found = load(tmp_path, text).people
    assert [(p.id, p.family_name) for p in found] == [("7", "MARTIN"), ("local-7", "ROUX")]


@pytest.mark.parametrize("kind", ["epp", "local"])
def test_one_person_twice_is_refused(tmp_path: Path, kind: str) -> None:
    (problem,) = refused(tmp_path, sts(individual(kind=kind), individual(kind=kind)))
    assert "14001 : cette personne s’y trouve deux fois." in problem


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        *(("", "epp"), ("", "local"), ("7", ""), ("7", "autre"), ("../etc", "epp")),
        *(("070000001AB", "local"), ("martin.l", "epp")),
    ],
)
def test_an_id_that_cannot_be_printed_is_refused(tmp_path: Path, key: str, kind: str) -> None:
    (problem,) = refused(tmp_path, sts(individual(key=key, kind=kind)))
    assert "ID et de TYPE" in problem
    assert not key or key not in problem


@pytest.mark.parametrize(
    ("code", "sex", "civility"),
    [
        *(("1", "1", "M."), ("2", "2", "Mme"), ("3", "2", "Mme"), ("3", "", "Mme")),
        *(("", "1", "M."), ("", "2", "Mme"), ("9", "2", "Mme")),
    ],
)
def test_the_civility_is_the_code_s_or_else_the_sex_s(
    tmp_path: Path, code: str, sex: str, civility: str
) -> None:
    body = TEACHER.replace("<CIVILITE>2<", f"<CIVILITE>{code}<")
    found = only(tmp_path, body.replace("<SEXE>2<", f"<SEXE>{sex}<"))
    assert found.civility == civility
    assert found.function == {"M.": "Professeur", "Mme": "Professeure"}[civility]


def test_a_person_without_civility_or_sex_is_told(tmp_path: Path) -> None:
    roster = load(tmp_path, sts(individual(without("CIVILITE", without("SEXE")))))
    assert roster.people[0].civility == ""
    assert roster.people[0].function == "Professeur, Mathématiques"
    assert "(INDIVIDU 14001)" in roster.notices[0]
    assert "sans civilité" in roster.notices[0]


def test_local_people_have_no_birth_date(tmp_path: Path) -> None:
    text = sts(individual(without("DATE_NAISSANCE"), kind="local"))
    roster = load(tmp_path, text)
    assert roster.people[0].birth_date is None
    assert roster.notices == ()


@pytest.mark.parametrize("day", ["1980-02-31", "0001-01-01", "?"])
def test_a_birth_date_that_is_none_is_left_out_aloud(tmp_path: Path, day: str) -> None:
    roster = load(tmp_path, sts(individual(TEACHER.replace("1980-03-12", day))))
    assert roster.people[0].birth_date is None
    assert "date de naissance, illisible" in roster.notices[0]


def test_who_has_no_function_any_more_is_set_aside_aloud(tmp_path: Path) -> None:
    gone = individual(without("FONCTION"), key="14008")
    roster = load(tmp_path, sts(individual(), gone))
    assert [p.id for p in roster.people] == ["14001"]
    assert "1 personne(s) sans fonction (départ, congé long)" in roster.notices[0]
    assert "14008" in roster.notices[0]


def test_other_staff_is_set_aside_and_counted_by_function(tmp_path: Path) -> None:
    functions = ["DIR", "EDU", "EDU", "<MARTIN", "dir"]
    rows = [
        individual(TEACHER.replace(">ENS<", f">{code.replace('<', '&lt;')}<"), key=str(n))
        for n, code in enumerate(functions)
    ]
    roster = load(tmp_path, sts(individual(), *rows))
    assert [p.id for p in roster.people] == ["14001"]
    (notice,) = roster.notices
    assert "5 personne(s) d’autres fonctions mises de côté (2 DIR, 2 EDU et 1 autre)" in notice
    assert "MARTIN" not in notice


@pytest.mark.parametrize("problem", ["<PRENOM>", "<NOM_USAGE>"])
def test_who_is_set_aside_may_be_incomplete(tmp_path: Path, problem: str) -> None:
    body = TEACHER.replace(">ENS<", ">DIR<").replace(problem, f"{problem}?")
    assert len(load(tmp_path, sts(individual(), individual(body, key="9"))).people) == 1


def test_a_file_without_teachers_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, sts(individual(TEACHER.replace(">ENS<", ">DIR<"))))
    assert "personne" in problem


@pytest.mark.parametrize(
    ("civility", "function"),
    [("1", "Professeur documentaliste"), ("2", "Professeure documentaliste")],
)
def test_librarians_are_teachers(tmp_path: Path, civility: str, function: str) -> None:
    body = TEACHER.replace(">ENS<", ">DOC<").replace("<CIVILITE>2<", f"<CIVILITE>{civility}<")
    assert only(tmp_path, body + MATHS).function == function


@pytest.mark.parametrize(
    ("usage", "family", "names"),
    [
        ("MARTIN", "MARTIN", ("MARTIN", "")),
        ("ROUX", "MARTIN", ("MARTIN", "ROUX")),
        ("LEFEVRE", "LEFÈVRE", ("LEFÈVRE", "")),
        ("ROUX", "", ("ROUX", "")),
        ("", "MARTIN", ("MARTIN", "")),
    ],
)
def test_the_name_in_use_is_printed_when_it_is_another(
    tmp_path: Path, usage: str, family: str, names: tuple[str, str]
) -> None:
    body = TEACHER.replace("<NOM_USAGE>MARTIN<", f"<NOM_USAGE>{usage}<")
    found = only(tmp_path, body.replace("QUE>MARTIN<", f"QUE>{family}<"))
    assert (found.family_name, found.usage_name) == names


def test_a_first_name_in_capitals_is_kept_as_it_is(tmp_path: Path) -> None:
    body = TEACHER.replace("LÉA", "JEAN PIERRE")
    assert only(tmp_path, body).first_name == "JEAN PIERRE"


@pytest.mark.parametrize("missing", ["PRENOM", "NOM"])
def test_a_name_that_is_missing_is_asked_for(tmp_path: Path, missing: str) -> None:
    body = TEACHER
    for tag in ("NOM_USAGE", "NOM_PATRONYMIQUE") if missing == "NOM" else ("PRENOM",):
        body = without(tag, body)
    (problem,) = refused(tmp_path, sts(individual(body)))
    assert "manque" in problem
    assert "INDIVIDU 14001" in problem


def test_a_lost_letter_in_a_name_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, sts(individual(TEACHER.replace("LÉA", "L?A"))))
    assert "point d’interrogation" in problem
    assert "INDIVIDU 14001" in problem


def discipline(label: str, hours: str = "") -> str:
    inner = f"<LIBELLE_COURT>{label}</LIBELLE_COURT><NB_HEURES>{hours}</NB_HEURES>"
    return f'<DISCIPLINE CODE="L0000">{inner}</DISCIPLINE>'


@pytest.mark.parametrize(
    ("rows", "function"),
    [
        ("", "Professeure"),
        ('<DISCIPLINE CODE="L1300"/>', "Professeure"),
        (discipline("HISTOIRE GEOGRAPHIE"), "Professeure, Histoire-géographie"),
        (discipline("LET.MOD."), "Professeure, LET.MOD."),
        (discipline("Arts du cirque"), "Professeure, Arts du cirque"),
        (discipline("NSI", "6,50") + discipline("MATHEMATIQUES", "12.00"), "Professeure, Math"),
        (discipline("NSI", "1e9") + discipline("ANGLAIS", "2"), "Professeure, Anglais"),
        (discipline("NSI") + discipline("ANGLAIS"), "Professeure, NSI"),
    ],
)
def test_the_function_tells_the_subject_taught_most(
    tmp_path: Path, rows: str, function: str
) -> None:
    found = only(tmp_path, f"{TEACHER}<DISCIPLINES>{rows}</DISCIPLINES>").function
    assert found.startswith(function)
    assert len(found) < len(function) + 10


def test_a_lost_letter_in_a_subject_leaves_it_out_aloud(tmp_path: Path) -> None:
    body = f"{TEACHER}<DISCIPLINES>{discipline('MATH?MATIQUES')}</DISCIPLINES>"
    roster = load(tmp_path, sts(individual(body)))
    assert roster.people[0].function == "Professeure"
    assert "discipline, abîmée" in roster.notices[0]


def test_services_may_name_people_who_are_not_there_any_more(tmp_path: Path) -> None:
    classes = service("epp:14001", "epp:99", "epp:99", "local:14001")
    group = '<GROUPE CODE="G"><SERVICES><SERVICE><ENSEIGNANTS><ENSEIGNANT ID="98" TYPE="epp"/>'
    group += "</ENSEIGNANTS></SERVICE></SERVICES></GROUPE>"
    (notice,) = load(tmp_path, sts(divisions=classes, groups=group)).notices
    assert "vers 3 personne(s) absentes" in notice


def test_services_may_name_people_who_are_set_aside(tmp_path: Path) -> None:
    gone = individual(without("FONCTION"), key="9")
    notices = load(tmp_path, sts(individual(), gone, divisions=service("epp:9"))).notices
    assert not [notice for notice in notices if "absentes" in notice]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (without("DATE_NAISSANCE"), True),
        (TEACHER, True),
        (TEACHER.replace("LÉA", "Lea"), True),
        (without("NOM_PATRONYMIQUE"), True),
        (TEACHER.replace("1980", "1981"), False),
        (TEACHER.replace("LÉA", "ZOÉ"), False),
    ],
)
def test_two_records_of_one_name_are_told(tmp_path: Path, body: str, told: bool) -> None:
    text = sts(individual(), individual(body, key="3", kind="local"))
    roster = load(tmp_path, text)
    assert len(roster.people) == 2
    assert any("deux fiches" in n and "local-3" in n for n in roster.notices) is told


def test_a_local_record_under_the_name_in_use_is_told_too(tmp_path: Path) -> None:
    married = TEACHER.replace("<NOM_USAGE>MARTIN<", "<NOM_USAGE>ROUX<")
    local = without("NOM_PATRONYMIQUE", without("DATE_NAISSANCE", married))
    roster = load(tmp_path, sts(individual(married), individual(local, key="3", kind="local")))
    assert "deux fiches" in roster.notices[0]
    assert "MARTIN" not in roster.notices[0]


def test_the_register_names_people_by_their_ids(tmp_path: Path) -> None:
    rows = (individual(), individual(TEACHER.replace("MARTIN", "ROUX"), "14001", "local"))
    gone = individual(without("FONCTION"), key="9")
    (tmp_path / "a.xml").write_text(sts(*rows, gone), encoding="iso8859-15")
    (tmp_path / "c.csv").write_text(
        "N° de série;Bénéficiaire;Date\nHA12345;14001;\nHA12346;local-14001;\nHA12347;9;\n",
        encoding="utf-8",
    )
    roster = read(
        [tmp_path / "a.xml"], school=school(), audience="teacher", cessions=tmp_path / "c.csv"
    )
    assert {key: found.serial for key, found in roster.cessions.items()} == {
        "14001": "HA12345",
        "local-14001": "HA12346",
    }
    assert any("c.csv, ligne 4" in notice for notice in roster.notices)


SECRETS = ("ZQXNOM", "ZQXUSAGE", "ZQXPRÉNOM", "1968-02-29", "ZQXMATIÈRE")
FAULTS = {
    "ID": "ZQXNOM.1",
    "TYPE": "ZQXNOM",
    "NOM_PATRONYMIQUE": "ZQXNOM?",
    "NOM_USAGE": "ZQXUSAGE½",
    "PRENOM": "ZQXPRÉNOM\ufffd",
    "DATE_NAISSANCE": "1968-02-29x1",
    "FONCTION": "ZQXNOM",
    "CIVILITE": "ZQXNOM",
    "LIBELLE_COURT": "ZQXMATIÈRE?",
}
FINE = {
    **dict.fromkeys(FAULTS, ""),
    "ID": "14001",
    "TYPE": "epp",
    "NOM_PATRONYMIQUE": "ZQXNOM",
    "NOM_USAGE": "ZQXUSAGE",
    "PRENOM": "ZQXPRÉNOM",
    "DATE_NAISSANCE": "1968-02-29",
    "FONCTION": "ENS",
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.sets(st.sampled_from(sorted(FAULTS)), min_size=1))
def test_whatever_is_wrong_nobody_is_named(tmp_path: Path, faults: set[str]) -> None:
    row = FINE | {key: FAULTS[key] for key in faults}
    label = row.pop("LIBELLE_COURT")
    key, kind = row.pop("ID"), row.pop("TYPE")
    body = "".join(f"<{tag}>{text}</{tag}>" for tag, text in row.items())
    body += f"<DISCIPLINES><DISCIPLINE><LIBELLE_COURT>{label}</LIBELLE_COURT></DISCIPLINE>"
    rows = [individual(body + "</DISCIPLINES>", key, kind), individual(key="2")]
    text = sts(*rows, rows[0], divisions=service("ZQXNOM:ZQXUSAGE"))
    try:
        roster = load(tmp_path, text.replace("ISO-8859-15", "UTF-8").encode())
        words = "\n".join(roster.notices)
    except RosterRejected as refusal:
        words = str(refusal)
    assert words
    assert not [secret for secret in SECRETS if secret.casefold() in words.casefold()]
