"""The register as attestations need it: who left counts too, loans do not, ids are told apart."""

from datetime import date
from pathlib import Path

import pytest

from docgen import register
from docgen.attestations import Row, StockLine
from docgen.errors import RosterRejected
from docgen.register import Register
from samples.generate import generate
from samples.people import school
from tests.helpers import refusal

PUPILS = (
    "Identifiant;Nom de famille;Prénom;Date de naissance;Classe\nE1;ESSAI;Zoé;01/03/2010;2DE 1\n"
)
TEACHERS = "Identifiant;Nom de famille;Prénom;N° de série\n{};ESSAI;Max;AA12\n"
TITLES = "N° de série;Bénéficiaire;Date;Nature\n"


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(
    folder: Path, rows: str, teacher: str = "P1", stock: str = "", attested: tuple[Row, ...] = ()
) -> Register:
    return register.read(
        school(),
        pupils=[written(folder, "eleves.csv", PUPILS)],
        teachers=[written(folder, "profs.csv", TEACHERS.format(teacher))],
        cessions=written(folder, "cessions.csv", TITLES + rows),
        stock=written(folder, "stock.csv", stock) if stock else None,
        attested=attested,
    )


def test_pupils_and_teachers_share_one_register(tmp_path: Path) -> None:
    found = read(tmp_path, "AA11;E1;14/09/2026;\nAA12;P1;15/09/2026;\n")
    told = {(each.serial, each.audience, each.division) for each in found.entries}
    assert told == {("AA11", "pupil", "2DE 1"), ("AA12", "teacher", "")}
    assert all(each.ceded_date for each in found.entries)
    assert found.stock is None


def test_loans_and_cancelled_lines_are_left_aside_and_told(tmp_path: Path) -> None:
    found = read(tmp_path, "AA11;E1;14/09/2026;Prêt\nAA13;E1;14/09/2026;annulée\n")
    assert [each.serial for each in found.entries] == ["AA12"]
    assert found.notices == (
        "1 prêt(s) laissés de côté : ils ne s’attestent pas.",
        "1 ligne(s) annulées, laissées de côté.",
    )


def test_nothing_is_asked_of_the_lines_left_aside(tmp_path: Path) -> None:
    rows = "AA14;D9;32/10/2026;prêt longue durée\n;;;Annulée\nAA15;E1;;cession annulée\n"
    assert [each.serial for each in read(tmp_path, rows).entries] == ["AA12"]


@pytest.mark.parametrize("nature", ["don", "rendue", "cédée puis rendue", "prêt devenu cession"])
def test_a_nature_that_leaves_a_doubt_is_refused(tmp_path: Path, nature: str) -> None:
    (problem,) = refusal(lambda: read(tmp_path, f"AA11;E1;;{nature}\n"), RosterRejected)
    assert problem.what == "« Nature » n’est ni cession, ni prêt, ni annulée."


def test_who_was_attested_and_is_in_no_list_any_more_is_known(tmp_path: Path) -> None:
    """The year after, neither the lists of people nor the stock hold what is attested."""
    former = Row("AA10", "E0", "pupil", "TLE 1", date(2025, 9, 15))
    rows = "AA10;E0;15/09/2025;\nAA11;E1;14/09/2026;\n"
    stock = "N° de série;Modèle;État\nAA11;T2;x\nAA12;T2;x\nAA13;T2;y\n"
    found = read(tmp_path, rows, stock=stock, attested=(former,))
    assert ("AA10", "E0") in {entry.key for entry in found.entries}
    assert found.stock == (StockLine("T2", "y", 1),)
    problems = refusal(lambda: read(tmp_path, rows, stock=stock), RosterRejected)
    assert problems[0].what == "ce bénéficiaire est inconnu."


def test_a_teacher_who_left_since_is_counted_as_a_teacher(tmp_path: Path) -> None:
    generate(tmp_path, pupils=30, classes=2, staff=2)
    (teachers,) = tmp_path.glob("sts_emp_*.xml")
    (entry,) = register.read(
        school(),
        pupils=[tmp_path / "ElevesAvecAdresses.xml"],
        teachers=[teachers],
        cessions=written(tmp_path, "cessions.csv", f"{TITLES}HB12;60007;14/09/2026;\n"),
    ).entries
    assert (entry.audience, entry.division) == ("teacher", "")


def test_what_is_left_is_counted_by_model_and_state(tmp_path: Path) -> None:
    stock = "N° de série;Modèle;État\nAA12;T2;x\nAA13;T10;y\nAA14;T2;y\nAA15;T2;y\n"
    assert read(tmp_path, "", stock=stock).stock == (
        StockLine("T2", "y", 2),
        StockLine("T10", "y", 1),
    )


def test_an_identifier_of_a_pupil_and_of_a_teacher_is_refused(tmp_path: Path) -> None:
    (problem,) = refusal(lambda: read(tmp_path, "", teacher="E1"), RosterRejected)
    assert problem.what == "ces identifiants désignent à la fois un élève et un professeur : E1."


@pytest.mark.parametrize("known", [True, False])
def test_a_pupil_who_left_since_still_received_the_tablet(tmp_path: Path, known: bool) -> None:
    generate(tmp_path, pupils=30, classes=2, staff=2)
    left = "9900002" if known else "9900999"
    cessions = written(tmp_path, "cessions.csv", f"{TITLES}HB12;{left};14/09/2026;\n")

    def found() -> Register:
        return register.read(
            school(),
            pupils=[tmp_path / "ElevesAvecAdresses.xml"],
            teachers=[],
            cessions=cessions,
        )

    if known:
        (entry,) = found().entries
        assert (entry.person_id, entry.audience, entry.division) == (left, "pupil", "")
    else:
        (problem,) = refusal(found, RosterRejected)
        assert problem.what == "ce bénéficiaire est inconnu."
