"""The stock of tablets and the register of who received which."""

from datetime import date
from pathlib import Path

import pytest

from docgen.errors import RosterRejected
from docgen.records import Device, Roster
from docgen.rosters import read
from samples.people import school
from tests.hostile.exports import BORN, NAME, in_class, pupil, pupils

PEOPLE = (
    "Identifiant;Nom;Prénom;Date de naissance;Classe;INE;N° de série\n"
    "E1;MARTIN;Léa;12/03/2010;2DE 1;070000001AB;{}\n"
    "E2;ROUX;Anne;13/03/2010;2DE 1;;{}\n"
)
STOCK = "N° de série;Modèle;État\nHA10B1;T10;neuf\nHA1052;T10;\n0012345;T12;\n"


def load(
    folder: Path,
    first: str = "",
    second: str = "",
    stock: str | None = None,
    register: str | None = None,
) -> Roster:
    (folder / "eleves.csv").write_text(PEOPLE.format(first, second), encoding="utf-8")
    paths: dict[str, Path | None] = {"stock": None, "cessions": None}
    for name, text in (("stock", stock), ("cessions", register)):
        if text is not None:
            paths[name] = folder / f"{name}.csv"
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return read([folder / "eleves.csv"], school=school(), audience="pupil", **paths)


def refused(folder: Path, *given: str, **files: str) -> list[str]:
    with pytest.raises(RosterRejected) as caught:
        load(folder, *given, **files)
    return [str(problem) for problem in caught.value.problems]


def register(*rows: str) -> str:
    return "\n".join(("N° de série;Bénéficiaire;Date", *rows, ""))


def test_a_stock_is_read_by_serial_number(tmp_path: Path) -> None:
    devices = load(tmp_path, stock=STOCK).devices
    assert devices["HA10B1"] == Device("HA10B1", "T10", "neuf")
    assert len(devices) == 3


def test_a_serial_number_is_compared_as_the_label_carries_it(tmp_path: Path) -> None:
    assert load(tmp_path, " ha-10b1 ", stock=STOCK).cessions["E1"].serial == "HA10B1"


def test_a_letter_o_is_read_zero_with_a_notice(tmp_path: Path) -> None:
    roster = load(tmp_path, "HA1O52", stock=STOCK.replace("HA10B1", "HA1OB1"))
    assert roster.cessions["E1"].serial == "HA1052"
    assert "HA10B1" in roster.devices
    assert [notice.partition(" : ")[0] for notice in roster.notices] == [
        "stock.csv, ligne 2",
        "eleves.csv, ligne 2",
    ]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *(("HAI0B1", "HA10B1"), ("HA1081", "HA10B1"), ("HA10BI", "HA10B1"), ("HA10S2", "HA1052")),
        *(("SHA10B1", "HA10B1"), ("SHA10S2", "HA1052"), ("12345", "0012345")),
    ],
)
def test_a_number_that_is_not_in_stock_is_refused_with_the_likely_one(
    tmp_path: Path, typed: str, meant: str
) -> None:
    (problem,) = refused(tmp_path, typed, stock=STOCK)
    assert f"Vouliez-vous dire {meant} ?" in problem
    assert problem.startswith("eleves.csv, ligne 2 : ")


def test_a_number_like_no_other_is_refused_without_a_guess(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "ZZ9999", stock=STOCK)
    assert "Vouliez-vous" not in problem


def test_several_likely_numbers_are_all_given(tmp_path: Path) -> None:
    stock = "N° de série\nHA10B1\nHA1081\n"
    (problem,) = refused(tmp_path, "HAI0B1", stock=stock)
    assert "Vouliez-vous dire HA10B1 ou HA1081 ?" in problem


def test_without_a_stock_every_number_is_accepted(tmp_path: Path) -> None:
    assert load(tmp_path, "ZZ9999").cessions["E1"].serial == "ZZ9999"


def test_one_tablet_for_two_people_is_refused_with_both_places(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "HA10B1", "HA1OB1")
    assert problem.startswith("eleves.csv, ligne 3 : tablette HA10B1 déjà remise")
    assert "eleves.csv, ligne 2" in problem


def test_two_tablets_for_one_person_are_refused_with_both_places(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "HA10B1", register=register("HA1052;E1;"))
    assert problem.startswith("cessions.csv, ligne 2 : cette personne a déjà une tablette")
    assert "eleves.csv, ligne 2" in problem


def test_a_register_names_people_by_id_or_by_ine(tmp_path: Path) -> None:
    rows = register("HA10B1;070000001ab;14/09/2026", "HA1052;E2;")
    cessions = load(tmp_path, register=rows).cessions
    assert cessions["E1"].ceded_date == date(2026, 9, 14)
    assert cessions["E2"].ceded_date is None


def test_a_register_may_repeat_the_table_and_brings_the_date(tmp_path: Path) -> None:
    roster = load(tmp_path, "HA10B1", register=register("HA10B1;E1;14/09/2026", "HA10B1;E1;"))
    assert roster.cessions["E1"].ceded_date == date(2026, 9, 14)


def test_two_dates_for_one_cession_are_refused(tmp_path: Path) -> None:
    rows = register("HA10B1;E1;14/09/2026", "HA10B1;E1;15/09/2026")
    (problem,) = refused(tmp_path, register=rows)
    assert "deux dates" in problem


def test_everything_wrong_in_a_register_is_told_at_once(tmp_path: Path) -> None:
    rows = register("HA10B1;MARTIN Léa;", ";E1;", "HA1052;;", "HA1053;E2;hier", "ÉÉÉÉ;E1;")
    problems = refused(tmp_path, register=rows)
    assert [problem.partition(" : ")[0] for problem in problems] == [
        *(f"cessions.csv, ligne {line}" for line in (2, 4, 5, 3, 6)),
    ]
    assert not any("MARTIN" in problem for problem in problems)


@pytest.mark.parametrize("typed", ["MARTIN LEO", "12/03/2010", "LEON"])
def test_a_name_or_a_date_in_the_wrong_column_is_refused_unrepeated(
    tmp_path: Path, typed: str
) -> None:
    (problem,) = refused(tmp_path, typed)
    assert "N° de série" in problem
    assert typed not in problem


def test_an_ine_in_the_wrong_column_is_not_repeated(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "070000009AB", stock=STOCK)
    assert "070000009AB" not in problem


def test_a_tablet_twice_in_stock_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, stock=STOCK + "HA1OB1;;\n")
    assert problem.startswith(
        "stock.csv, ligne 5 : tablette HA10B1 déjà citée à stock.csv, ligne 2"
    )


def test_a_formula_is_told_once(tmp_path: Path) -> None:
    """In the people, in the stock, in the register: it is not said to be empty as well."""
    found = refused(
        tmp_path, stock=STOCK + "=A1;T10;\n", register=register("=A2;E1;", "HA10B1;=B1;", "=A3;E9;")
    )
    where = ["stock.csv, ligne 5", *(f"cessions.csv, ligne {n}" for n in (2, 3, 4, 4))]
    assert [problem.split(" : ")[0] for problem in found] == where
    assert not any("vide" in problem for problem in found)
    rows = PEOPLE.format("", "").replace("12/03/2010", "=A1").replace("ROUX", "#N/A")
    (tmp_path / "eleves.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(RosterRejected) as caught:
        read([tmp_path / "eleves.csv"], school=school(), audience="pupil")
    assert [str(problem)[:26] for problem in caught.value.problems] == [
        "eleves.csv, ligne 2 : la c",
        "eleves.csv, ligne 3 : la c",
    ]


def test_the_cession_of_a_pupil_who_left_is_set_aside_with_a_notice(tmp_path: Path) -> None:
    gone = NAME + BORN + "<DATE_SORTIE>10/09/2026</DATE_SORTIE>"
    text = pupils(pupil() + pupil(gone, key="102"), in_class("D:2DE 1"))
    (tmp_path / "eleves.xml").write_bytes(text.encode("iso8859-15"))
    (tmp_path / "cessions.csv").write_text(register("HA10B1;102;", "HA1052;101;"))
    roster = read(
        [tmp_path / "eleves.xml"],
        school=school(),
        audience="pupil",
        cessions=tmp_path / "cessions.csv",
    )
    assert list(roster.cessions) == ["101"]
    assert any(notice.startswith("cessions.csv, ligne 2") for notice in roster.notices)


def test_a_mistake_in_a_person_s_line_does_not_make_the_person_unknown(tmp_path: Path) -> None:
    rows = PEOPLE.format("", "").replace("12/03/2010", "jamais")
    (tmp_path / "eleves.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "cessions.csv").write_text(register("HA10B1;E1;"))
    with pytest.raises(RosterRejected) as caught:
        read(
            [tmp_path / "eleves.csv"],
            school=school(),
            audience="pupil",
            cessions=tmp_path / "cessions.csv",
        )
    assert len(caught.value.problems) == 1
