"""Synthetic people and files: the same every time, true to the formats, agreeing together."""

import subprocess
import sys
from datetime import date
from pathlib import Path
from time import process_time

import pytest

from docgen import identifiers
from docgen.rosters import read, read_school
from samples import posting
from samples.generate import generate
from samples.people import (
    SCHOOL_START_DATE,
    cession_for,
    divisions,
    nasty_people,
    people,
    school,
    serial_number,
    teachers,
)


@pytest.fixture(scope="module")
def lycee(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lycee")
    generate(folder)
    return folder


def test_the_same_seed_gives_the_same_people_and_another_one_others() -> None:
    assert people(50, seed=3) == people(50, seed=3)
    assert people(50, seed=3) != people(50, seed=4)
    assert teachers(9, seed=3) == teachers(9, seed=3)


def test_people_are_plausible() -> None:
    found = people(1050, classes=42)
    ages = [(SCHOOL_START_DATE - (p.birth_date or date.min)).days // 365 for p in found]
    assert 13 <= min(ages) <= 14
    assert 19 <= max(ages) <= 20
    assert len({person.id for person in found}) == 1050
    assert len({person.division for person in found}) == 42
    assert {len(person.guardians) for person in found} == {0, 1, 2}
    households = [person.guardians for person in found if person.guardians]
    assert 20 < len(households) - len(set(households)) < 200  # brothers and sisters
    ines = [person.ine for person in found if person.ine]
    assert len(set(ines)) == len(ines) < 1050
    assert not any(map(identifiers.ine_problem, ines))


def test_class_codes_are_of_every_kind_and_fit_siecle() -> None:
    codes = [division.code for division in divisions(42)]
    assert len(set(codes)) == 42
    assert max(map(len, codes)) <= 8
    assert any(code.isdigit() for code in codes)
    assert any(" " in code for code in codes)


def test_serial_numbers_are_distinct_and_right() -> None:
    numbers = [serial_number(n) for n in range(20_000)]
    assert len(set(numbers)) == 20_000
    assert not any(map(identifiers.serial_problem, numbers))
    person = people(1)[0]
    assert cession_for(person, 5).serial == numbers[5]
    assert cession_for(person, 5).person_id == person.id


def test_nasty_people_hold_what_templates_fail_on() -> None:
    found = nasty_people()
    words = "".join(p.family_name + p.usage_name + p.first_name for p in found)
    words += "".join(g.full_name for p in found for g in p.guardians)
    assert set("ŸœČğỹŁ’'&<>") <= set(words + words.casefold())
    assert max(len(person.family_name) for person in found) > 40
    assert {len(person.guardians) for person in found} == {0, 1, 2}
    assert {person.is_adult(SCHOOL_START_DATE) for person in found} == {True, False, None}
    assert len({person.id for person in found}) == len(found)


def test_the_school_file_is_the_school(lycee: Path) -> None:
    assert read_school(lycee / "school.toml") == school()


def test_every_file_tells_the_same_people_and_cessions(lycee: Path) -> None:
    tablets = {"stock": lycee / "stock.csv", "cessions": lycee / "cessions.csv"}
    rosters = [
        read([lycee / name], school=school(), audience="pupil", **tablets)
        for name in ("ExportXML_ElevesAvecAdresses.zip", "eleves.csv", "eleves.xlsx")
    ]
    wanted = people(1050, classes=42)
    for roster in rosters:
        assert len(roster.cessions) == 919
        assert roster.cessions == rosters[0].cessions
        told = [
            (p.id, p.family_name, p.usage_name, p.first_name, p.birth_date) for p in roster.people
        ]
        assert told == [
            (p.id, p.family_name, p.usage_name, p.first_name, p.birth_date) for p in wanted
        ]


def test_teachers_come_back_with_their_tablets(lycee: Path) -> None:
    for name in ("professeurs.csv", "professeurs.xlsx"):
        roster = read(
            [lycee / name], school=school(), audience="teacher", stock=lycee / "stock.csv"
        )
        assert list(roster.people) == teachers(90)
        assert len(roster.cessions) == 90


def test_the_same_options_write_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(tmp_path / "a", 40, 3, 5)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    command = [sys.executable, "-m", "samples.generate", "--out", str(tmp_path / "b")]
    options = ["--pupils", "40", "--classes", "3", "--teachers", "5"]
    subprocess.run([*command, *options], check=True)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(names) == 13
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


@pytest.mark.parametrize("pupils", [1, 2, 7])
def test_a_tiny_school_is_still_whole(tmp_path: Path, pupils: int) -> None:
    generate(tmp_path, pupils, 1, 1)
    names = ["ElevesAvecAdresses", "ResponsablesAvecAdresses", "Structures", "Nomenclature"]
    roster = read([tmp_path / f"{name}.xml" for name in names], school=school(), audience="pupil")
    assert list(roster.people) == people(pupils, classes=1)


def test_a_school_is_written_in_three_seconds(tmp_path: Path) -> None:
    start = process_time()
    generate(tmp_path)
    assert process_time() - start < 3


def test_every_file_that_can_hold_a_comment_says_that_it_is_synthetic(lycee: Path) -> None:
    for path in lycee.glob("*.xml"):
        assert "Données synthétiques" in path.read_text(encoding="iso8859-15")
    assert "Données synthétiques" in (lycee / "school.toml").read_text(encoding="utf-8")


def test_the_demo_hands_out_on_a_day_that_has_come(lycee: Path, tmp_path: Path) -> None:
    """Only what has happened can be attested: a clock before the made-up day brings it forward."""
    register = tmp_path / "cessions.csv"
    before = (lycee / "cessions.csv").read_text(encoding="utf-8")
    for today, day in ((date(2026, 9, 14), "14/09/2026"), (date(2026, 9, 13), "13/09/2026")):
        register.write_text(before, encoding="utf-8")
        posting.dated(tmp_path, today)
        assert register.read_text(encoding="utf-8") == before.replace("14/09/2026", day)
