"""The loans register: all problems at once, as for the stock and the cessions."""

from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from docgen.errors import RosterRejected
from docgen.records import Loan, Roster
from docgen.rosters import loans
from samples.people import school

PUPILS = """Identifiant;Nom de famille;Prénom;Date de naissance;Classe;INE
E1;MARTIN;Léa;12/03/2010;2DE 1;1130000000V
E2;DUPONT;Zoé;12/03/2008;2DE 1;
E3;PETIT;Noé;12/03/2009;2DE 2;
"""
STOCK = (
    "N° de série;Modèle;État\nHA16FV20;Tablette 10 pouces;En stock\nHA19LN20;Tablette;En stock\n"
)
TITLES = "N° de série;Bénéficiaire;Début;Fin;État\n"


def read(
    tmp_path: Path, lines: str, titles: str = TITLES, stock: str = ""
) -> tuple[Roster, tuple[Loan, ...]]:
    (tmp_path / "eleves.csv").write_text(PUPILS, encoding="utf-8")
    (tmp_path / "prets.csv").write_text(titles + lines, encoding="utf-8")
    (tmp_path / "stock.csv").write_text(stock or STOCK, encoding="utf-8")
    return loans.read(
        [tmp_path / "eleves.csv"],
        school=school(),
        audience="pupil",
        loans=tmp_path / "prets.csv",
        stock=tmp_path / "stock.csv" if stock else None,
    )


def problems(tmp_path: Path, lines: str, titles: str = TITLES, stock: str = "") -> list[str]:
    with pytest.raises(RosterRejected) as refused:
        read(tmp_path, lines, titles, stock)
    return [str(problem) for problem in refused.value.problems]


def test_loans_are_read_in_their_order(tmp_path: Path) -> None:
    lines = (
        "HA16FV20;E2;14/09/2026;02/07/2027;Bon état\nHA19LN2O;1130000000v;2026-09-14;2026-10-01;\n"
    )
    roster, found = read(tmp_path, lines, stock=STOCK)
    assert found == (
        Loan("HA16FV20", "E2", date(2026, 9, 14), date(2027, 7, 2), "Bon état"),
        Loan("HA19LN20", "E1", date(2026, 9, 14), date(2026, 10, 1), ""),
    )
    assert roster.devices["HA16FV20"].model == "Tablette 10 pouces"
    assert any("lettre O" in notice for notice in roster.notices)


def test_a_workbook_is_read_as_well(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["Fin du prêt", "Début du prêt", "Emprunteur", "N° de série"])
    book.active.append([date(2027, 7, 2), date(2026, 9, 14), "E1", "HA16FV20"])
    stream = BytesIO()
    book.save(stream)
    (tmp_path / "prets.xlsx").write_bytes(stream.getvalue())
    (tmp_path / "eleves.csv").write_text(PUPILS, encoding="utf-8")
    _, found = loans.read(
        [tmp_path / "eleves.csv"], school=school(), audience="pupil", loans=tmp_path / "prets.xlsx"
    )
    assert found == (Loan("HA16FV20", "E1", date(2026, 9, 14), date(2027, 7, 2)),)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    lines = (
        "HA16FV20;E9;14/09/2026;02/07/2027;\n"
        "HA16FVZ0;E1;demain;02/07/2027;\n"
        "HA19LN20;E2;14/09/2026;01/09/2026;\n"
        ";E3;14/09/2026;;\n"
    )
    told = problems(tmp_path, lines, stock=STOCK)
    for line, what in (
        (2, "ce bénéficiaire est inconnu"),
        (3, "absente du stock"),
        (3, "« Début » n’est pas une date"),
        (4, "finit avant de commencer"),
        (5, "« N° de série » est vide"),
        (5, "« Fin » est vide"),
    ):
        assert any(f"ligne {line}" in each and what in each for each in told), what
    assert len(told) == 6


@pytest.mark.parametrize("dates", ["14/09/0026;02/07/2027", "14/09/2026;02/07/2972"])
def test_a_slip_in_a_year_is_told(tmp_path: Path, dates: str) -> None:
    """It would be printed in a contract, and decide who is a minor."""
    (told,) = problems(tmp_path, f"HA16FV20;E1;{dates};\n")
    assert "année impossible" in told


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("A1B2;E1;01/09/2026;01/07/2027;\nA1B2;E2;01/10/2026;01/12/2026;\n", "déjà prêtée"),
        ("A1B2;E1;01/09/2026;01/07/2027;\nA1B3;E1;01/10/2026;01/12/2026;\n", "déjà une tablette"),
        ("A1B2;E1;01/09/2026;01/09/2026;\nA1B2;E1;01/09/2026;01/09/2026;\n", "déjà prêtée"),
    ],
)
def test_one_tablet_has_one_holder_at_a_time(tmp_path: Path, lines: str, what: str) -> None:
    (told,) = problems(tmp_path, lines)
    assert what in told
    assert "ligne 2" in told
    assert "ligne 3" in told


def test_a_tablet_may_be_lent_again_once_given_back(tmp_path: Path) -> None:
    lines = "A1B2;E1;01/09/2026;01/10/2026;\nA1B2;E2;01/10/2026;01/12/2026;\n"
    assert len(read(tmp_path, lines)[1]) == 2


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("cell", ["=A1+1", "#REF!"])
def test_a_formula_is_told_once(tmp_path: Path, place: int, cell: str) -> None:
    """It has no value: it is not said to be empty as well. The rest of the line is looked at."""
    cells = ["HA16FV20", "E1", "14/09/2026", "02/07/2027"]
    cells[place] = cell
    (told,) = problems(tmp_path, ";".join(cells) + ";\n")
    assert f"la cellule {'ABCD'[place]}2 contient une formule" in told
    cells[(place + 1) % 4] = ""
    assert len(problems(tmp_path, ";".join(cells) + ";\n")) == 2


def test_missing_columns_are_told_together(tmp_path: Path) -> None:
    told = problems(tmp_path, "HA16FV20\n", "N° de série\n")
    assert [name in " ".join(told) for name in ("Bénéficiaire", "Début", "Fin")] == [True] * 3


def test_an_empty_register_is_refused(tmp_path: Path) -> None:
    (told,) = problems(tmp_path, "")
    assert "aucun prêt" in told


def test_no_name_is_told(tmp_path: Path) -> None:
    told = " ".join(problems(tmp_path, "DUPONT;MARTIN Léa;PETIT;ZOE;\n", stock=STOCK))
    for name in ("DUPONT", "MARTIN", "PETIT", "ZOE"):
        assert name not in told
