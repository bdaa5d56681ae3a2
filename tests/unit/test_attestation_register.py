"""The register as attestations need it: who left counts too, loans do not, ids are told apart."""

from pathlib import Path

import pytest

from docgen import register
from docgen.attestations import StockLine
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


def read(folder: Path, rows: str, teacher: str = "P1", stock: str = "") -> Register:
    return register.read(
        school(),
        pupils=[written(folder, "eleves.csv", PUPILS)],
        teachers=[written(folder, "profs.csv", TEACHERS.format(teacher))],
        cessions=written(folder, "cessions.csv", TITLES + rows),
        stock=written(folder, "stock.csv", stock) if stock else None,
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
