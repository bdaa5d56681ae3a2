"""From the export of STS-Web to charters, by the command line that schools use."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from samples import sts
from samples.generate import generate, school_toml
from samples.people import school
from tests.end_to_end.pressing import texts
from tests.hostile import exports

DOCGEN = Path(sys.executable).with_name("docgen")


def press(folder: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    command = [
        *(DOCGEN, "press", "charte-cession-professeur", "--layout", "police-10"),
        *("--school", folder / "school.toml", "--out", folder / "lot", *more),
    ]
    return subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"DOCGEN_KEY": "a key for tests"},
    )


def test_120_teachers_are_pressed_as_charters(tmp_path: Path) -> None:
    generate(tmp_path, 40, 3, 5)
    done = press(tmp_path, "--roster", tmp_path / "sts_emp_0130010R_2026.xml", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["documents"] == 120
    assert report["sides"] == 480
    assert "3 EDU" in done.stderr
    (volume,) = (tmp_path / "lot").glob("CP-*.pdf")
    pages = texts(volume)
    assert len(pages) == 480
    with (tmp_path / "lot" / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    people = sts.staff(120)
    assert sorted(row["person"] for row in rows) == sorted(person.id for person in people)
    words = "".join(pages).replace("'", "’")
    for person in people:
        assert "".join(person.family_name.split()).replace("'", "’") in words
        assert person.first_name in words
        assert "".join(person.function.split()) in words


@pytest.mark.parametrize("root", ["EDT_STS", "BEE_ELEVES"])
def test_the_wrong_file_is_refused_by_code_2_and_nothing_is_made(tmp_path: Path, root: str) -> None:
    (tmp_path / "school.toml").write_text(school_toml(school()), encoding="utf-8")
    (tmp_path / "a.xml").write_text(exports.sts().replace("STS_EDT", root), encoding="iso8859-15")
    done = press(tmp_path, "--roster", tmp_path / "a.xml")
    assert done.returncode == 2
    assert "sts_emp que STS-Web exporte" in done.stderr
    assert "MARTIN" not in done.stderr
    assert not (tmp_path / "lot").exists()
