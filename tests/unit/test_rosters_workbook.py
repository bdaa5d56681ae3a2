"""XLSX workbooks: cells of every kind, sheets, and what Excel does to numbers."""

import io
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.datavalidation import DataValidation

from docgen.errors import RosterRejected
from docgen.records import Roster
from docgen.rosters import read
from samples.people import school

TITLES = ["Nom de famille", "Prénom", "Date de naissance", "Classe", "INE", "N° de série"]
LEA = ["MARTIN", "Léa", datetime(2010, 3, 12), "2DE 1", "070000001AB", "HA100"]  # noqa: DTZ001


def book(*rows: list[Any], titles: list[str] = TITLES) -> Workbook:
    made = Workbook()
    made.active.append(titles)
    for row in rows:
        made.active.append(row)
    return made


def pupils(folder: Path, made: Workbook, name: str = "eleves.xlsx") -> Roster:
    stream = io.BytesIO()
    made.save(stream)
    (folder / name).write_bytes(stream.getvalue())
    return read([folder / name], school=school(), audience="pupil")


def refused(folder: Path, made: Workbook) -> list[str]:
    with pytest.raises(RosterRejected) as caught:
        pupils(folder, made)
    return [str(problem) for problem in caught.value.problems]


def test_a_pupil_is_read_whole(tmp_path: Path) -> None:
    (person,) = pupils(tmp_path, book(LEA)).people
    assert (person.family_name, person.first_name, person.division) == ("MARTIN", "Léa", "2DE 1")
    assert (person.birth_date, person.ine) == (date(2010, 3, 12), "070000001AB")


def test_the_extension_tells_nothing(tmp_path: Path) -> None:
    assert pupils(tmp_path, book(LEA), "eleves.csv").people


@pytest.mark.parametrize("born", [date(2010, 3, 12), "12/03/2010", "2010-03-12", 40249, "40249"])
def test_a_birth_date_may_be_a_date_a_text_or_a_day_number(tmp_path: Path, born: object) -> None:
    (person,) = pupils(tmp_path, book([*LEA[:2], born, *LEA[3:]])).people
    assert person.birth_date == date(2010, 3, 12)


def test_numbers_are_read_as_the_text_that_they_stand_for(tmp_path: Path) -> None:
    roster = pupils(tmp_path, book([*LEA[:3], 301, None, 12345678.0]))
    assert roster.people[0].division == "301"
    assert roster.cessions[roster.people[0].id].serial == "12345678"


def test_a_number_that_excel_rounded_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, book([*LEA[:5], 1.23456789012346e18]))
    assert "N° de série" in problem
    assert "format Texte" in problem


def test_a_formula_is_refused_with_its_cell(tmp_path: Path) -> None:
    problems = refused(tmp_path, book(LEA, ["=A2", *LEA[1:4], None, None]))
    assert any(p.startswith("eleves.xlsx, ligne 3 : la cellule A3 contient") for p in problems)


def test_an_error_of_calculation_is_refused_with_its_cell(tmp_path: Path) -> None:
    problems = refused(tmp_path, book([*LEA[:3], "#N/A", None, None]))
    assert any("la cellule D2" in problem for problem in problems)


def test_lines_are_numbered_as_excel_shows_them(tmp_path: Path) -> None:
    made = book(LEA)
    made.active["A9"] = "ROUX"
    assert all(problem.startswith("eleves.xlsx, ligne 9 :") for problem in refused(tmp_path, made))


def test_a_sheet_formatted_to_its_last_row_is_read(tmp_path: Path) -> None:
    made = book(LEA)
    made.active.cell(row=200_000, column=1, value=" ")
    assert len(pupils(tmp_path, made).people) == 1


def test_a_sheet_of_too_many_columns_is_refused(tmp_path: Path) -> None:
    made = book(LEA)
    made.active.cell(row=3, column=16_000, value="x")
    (problem,) = refused(tmp_path, made)
    assert "colonnes" in problem


def test_the_sheet_is_found_among_others(tmp_path: Path) -> None:
    made = Workbook()
    made.active.title = "Mode d’emploi"
    made.active.append(["Remplissez la feuille suivante"])
    made.create_sheet("Élèves").append(TITLES)
    made["Élèves"].append(LEA)
    assert len(pupils(tmp_path, made).people) == 1


def test_two_sheets_of_people_are_refused_rather_than_one_chosen(tmp_path: Path) -> None:
    made = book(LEA)
    made.create_sheet("L’an dernier").append(TITLES)
    (problem,) = refused(tmp_path, made)
    assert "2 feuilles" in problem


def test_a_hidden_sheet_is_not_read(tmp_path: Path) -> None:
    made = book(LEA)
    made.create_sheet("Archive").append(TITLES)
    made["Archive"].sheet_state = "hidden"
    assert len(pupils(tmp_path, made).people) == 1


def test_a_drop_down_list_raises_no_warning(tmp_path: Path) -> None:
    made = book(LEA)
    choice = DataValidation(type="list", formula1='"2DE 1,2DE 2"')
    made.active.add_data_validation(choice)
    choice.add("D2:D9")
    assert pupils(tmp_path, made).people


def patched(folder: Path, part: str, old: bytes, new: bytes) -> Roster:
    """Read a workbook after a change of one of its parts."""
    stream = io.BytesIO()
    book(LEA).save(stream)
    path = folder / "eleves.xlsx"
    with ZipFile(stream) as source, ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            assert name != part or old in content
            target.writestr(name, content.replace(old, new) if name == part else content)
    return read([path], school=school(), audience="pupil")


def test_the_size_that_a_sheet_declares_is_not_believed(tmp_path: Path) -> None:
    sheet = "xl/worksheets/sheet1.xml"
    assert patched(tmp_path, sheet, b'<dimension ref="A1:F2"', b'<dimension ref="A1:B1"').people


def test_what_openpyxl_would_warn_of_does_not_stop_the_import(tmp_path: Path) -> None:
    assert patched(tmp_path, "xl/styles.xml", b'name="Normal"', b'name="Autre"').people


def test_macros_are_left_alone(tmp_path: Path) -> None:
    plain, macro = b"spreadsheetml.sheet.main+xml", b"ms-excel.sheet.macroEnabled.main+xml"
    kind = b"application/vnd."
    assert patched(
        tmp_path,
        "[Content_Types].xml",
        kind + b"openxmlformats-officedocument." + plain,
        kind + macro,
    ).people


def test_two_thousand_lines_are_read_in_two_seconds(tmp_path: Path) -> None:
    rows = [[f"NOM{n}", *LEA[1:4], None, None] for n in range(2_000)]
    assert len(pupils(tmp_path, book(*rows)).people) == 2_000
