"""The same inputs give the same paper; a change touches its own pages and no others."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from samples.people import people
from tests.end_to_end.pressing import Pressed, press

SLUG, LAYOUT = "charte-cession-eleve", "police-10"
ELSEWHERE = """
import sys
from pathlib import Path
from samples.people import people
from tests.end_to_end.pressing import press
who, folder = people(30), Path(sys.argv[1])
press("charte-cession-eleve", "police-10", who, folder, volume=20, separators=True)
"""


def pages(pressed: Pressed) -> list[bytes]:
    """Give the drawing instructions of every page of a job."""
    return [
        b"\n".join(stream.get_object().get_data() for stream in page.get("/Contents", ()))
        for path in pressed.files()
        for page in PdfReader(path).pages
    ]


def test_two_processes_with_caches_of_their_own_give_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", "1"), ("two", "22")):
        environment = os.environ | {
            "DOCGEN_DATA": str(tmp_path / f"data-{name}"),
            "PYTHONHASHSEED": seed,
            "TZ": "Pacific/Noumea" if seed == "1" else "Europe/Paris",
        }
        command = [sys.executable, "-c", ELSEWHERE, str(tmp_path / name)]
        subprocess.run(command, env=environment, check=True)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len([name for name in names if name.startswith("CE-")]) == 2
    for name in names:
        if name != "job.json":  # it tells how long the job took
            one, two = tmp_path / "one" / name, tmp_path / "two" / name
            assert one.read_bytes() == two.read_bytes(), name


def test_a_name_changed_changes_the_pages_of_that_pupil_alone(tmp_path: Path) -> None:
    before = people(30)
    sides = 6  # PDF pages of a document: five sides and a blank verso
    after = [
        replace(each, first_name="Zénobie") if n == 11 else each for n, each in enumerate(before)
    ]
    first = press(SLUG, LAYOUT, before, tmp_path / "before", ordering="class")
    second = press(SLUG, LAYOUT, after, tmp_path / "after", ordering="class")
    order_before = [document.person for document in first.job.documents()]
    order_after = [document.person for document in second.job.documents()]
    drawn = dict(zip(order_after, range(0, 10_000, sides), strict=False))
    ours, theirs = pages(first), pages(second)
    assert len(ours) == len(theirs) == 30 * sides
    changed = {
        person
        for index, person in enumerate(order_before)
        if ours[index * sides : (index + 1) * sides]
        != theirs[drawn[person] : drawn[person] + sides]
    }
    assert changed == {before[11].id}


def test_the_digests_of_the_manifest_change_for_that_pupil_alone(tmp_path: Path) -> None:
    before = people(12)
    after = [replace(before[0], first_name="Zénobie"), *before[1:]]
    rows = []
    for name, who in (("before", before), ("after", after)):
        press(SLUG, LAYOUT, who, tmp_path / name)
        lines = (tmp_path / name / "manifest.csv").read_text("utf-8").splitlines()[1:]
        rows.append(
            {line.split(",")[1]: (line.split(",")[0], line.split(",")[-1]) for line in lines}
        )
    assert rows[0].keys() == rows[1].keys()
    assert {person for person in rows[0] if rows[0][person] != rows[1][person]} == {before[0].id}
    assert rows[0][before[0].id][0] != rows[1][before[0].id][0]  # other words, another number


@pytest.mark.parametrize("marks", [1, 2])
def test_each_copy_of_a_document_has_a_code_of_its_own(marks: int, tmp_path: Path) -> None:
    pressed = press(SLUG, LAYOUT, people(5), tmp_path, copies=marks)
    numbers = [document.number for document in pressed.job.documents()]
    assert len(set(numbers)) == len(numbers) == 5 * marks
