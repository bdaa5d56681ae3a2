"""The promises of paper, for a thousand people and for the nastiest."""

import csv
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from docgen.errors import FieldDoesNotFit
from docgen.press import Document
from docgen.rendering.pictures import Grey, greys
from samples.people import nasty_people
from tests.end_to_end.pressing import LAYOUTS, NAMES, Pressed, everybody, press, run, texts

PEOPLE = 1000
FINER = 6  # pictures are drawn at 6 x 72 dpi
Shades = NDArray[np.int16]
REFERENCE = "-[0-9A-Z]{4}-[0-9A-Z]{4}"


@pytest.fixture(scope="module", params=LAYOUTS, ids=NAMES)
def pressed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pressed:
    slug, layout, *_ = request.param
    return press(slug, layout, everybody(slug, PEOPLE), tmp_path_factory.mktemp("job"))


@pytest.fixture(scope="module")
def pages(pressed: Pressed) -> dict[str, list[str]]:
    return {path.name: texts(path) for path in pressed.files()}


def rows(pressed: Pressed) -> list[dict[str, str]]:
    with (pressed.folder / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_job_takes_the_pages_sides_and_sheets_promised(
    pressed: Pressed, pages: dict[str, list[str]], request: pytest.FixtureRequest
) -> None:
    expected = {(slug, layout): counts for slug, layout, *counts in LAYOUTS}
    report = pressed.report
    of_pages, sides, sheets = expected[report.template, report.layout]
    documents = PEOPLE * report.copies
    assert pressed.layout.pages == of_pages
    assert (report.documents, report.sides, report.sheets) == (
        documents,
        documents * sides,
        documents * sheets,
    )
    assert sum(map(len, pages.values())) == documents * sheets * 2
    assert [volume.documents for volume in report.volumes] == [500] * (documents // 500)


def test_every_document_starts_on_a_recto_and_its_last_verso_may_be_blank(
    pressed: Pressed, pages: dict[str, list[str]]
) -> None:
    found = rows(pressed)
    assert len(found) == pressed.report.documents
    for row in found:
        first, last = int(row["first_side"]), int(row["last_side"])
        assert first % 2 == 1
        assert last - first + 1 == pressed.layout.sides
        own = pages[row["volume"]][first - 1 : last]
        for number, text in enumerate(own, 1):
            assert f"{row['reference']}{number}/{pressed.layout.sides}" in text
        after = pages[row["volume"]][last : first - 1 + pressed.layout.sheets * 2]
        assert after == [""] * (pressed.layout.sheets * 2 - pressed.layout.sides)


def test_each_persons_values_stand_on_their_own_pages_and_nowhere_else(
    pressed: Pressed, pages: dict[str, list[str]]
) -> None:
    documents = {document.copy.reference: document for document in pressed.job.documents()}
    serials = {cession.serial for cession in pressed.job.order.roster.cessions.values()}
    assert len(documents) == pressed.report.documents
    for row in rows(pressed):
        document: Document = documents[row["reference"]]
        first, last = int(row["first_side"]), int(row["last_side"])
        own = "".join(pages[row["volume"]][first - 1 : last])
        for field, value in document.copy.values.items():
            if pressed.job.run.form.slots(document.copy.variant, field):
                assert "".join(value.split()) in own
        serial = pressed.job.order.roster.cessions[row["person"]].serial
        assert {word for word in serials if word in own} == {serial}
        prefix = pressed.job.order.template.manifest.reference
        assert set(re.findall(prefix + REFERENCE, own)) == {row["reference"]}


def test_no_reference_comes_twice_in_a_job(pressed: Pressed) -> None:
    references = [row["reference"] for row in rows(pressed)]
    assert len(set(references)) == len(references)


def test_qpdf_finds_nothing_to_say(pressed: Pressed) -> None:
    for path in pressed.files():
        done = run("qpdf", "--check", path)
        assert done.returncode == 0, done.stderr
        assert b"WARNING" not in done.stdout + done.stderr


def drawn_by_others(path: Path, last: int, folder: Path) -> list[list[Grey]]:
    """Draw the first sides with poppler and with Ghostscript; neither may say a word."""
    dpi = 72 * FINER
    poppler = run(*("pdftoppm", "-r", f"{dpi}", "-gray", "-l", f"{last}"), path, folder / "poppler")
    ghost = run(
        *("gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=pgmraw", f"-r{dpi}"),
        *("-dTextAlphaBits=4", "-dGraphicsAlphaBits=4", f"-dLastPage={last}"),
        *(f"-sOutputFile={folder}/ghost-%d", path),
    )
    for done in (poppler, ghost):
        assert done.returncode == 0
        assert not done.stderr
        assert not done.stdout
    return [
        [np.array(Image.open(file).convert("L")) for file in sorted(folder.glob(name))]
        for name in ("poppler-*", "ghost-*")
    ]


def reduced(pictures: list[Grey]) -> list[Shades]:
    """Reduce fine pictures to 72 dpi, each pixel the mean of those it covers."""
    # The programs round the edge of the paper apart: what all of them drew is compared.
    height, width = (
        min(sizes) // FINER * FINER for sizes in zip(*(p.shape for p in pictures), strict=True)
    )
    return [
        np.array(Image.fromarray(each[:height, :width]).reduce(FINER)).astype(np.int16)
        for each in pictures
    ]


def test_poppler_pdfium_and_ghostscript_draw_alike(pressed: Pressed, tmp_path: Path) -> None:
    """At 72 dpi, at most 1 % of pixels differ by more than 64 grey levels, without a warning.

    Drawn finer, then reduced: at 72 dpi itself each program moves letters to its own pixels, and
    any page of text differs by 5 to 8 %, WeasyPrint's own pages as much as ours.
    """
    path, sides = pressed.files()[0], pressed.layout.sides
    others = drawn_by_others(path, sides, tmp_path)
    for side, picture in enumerate(greys(path, 72 * FINER, list(range(sides)))):
        for one, two in combinations(reduced([picture, *(drawn[side] for drawn in others)]), 2):
            assert (abs(one - two) > 64).mean() <= 0.01


def test_somebody_whose_birth_date_is_unknown_is_reported_and_nothing_is_made(
    tmp_path: Path,
) -> None:
    from docgen.errors import InvalidInput

    with pytest.raises(InvalidInput, match="personne N09 : la date de naissance manque"):
        press("charte-cession-eleve", "police-10", nasty_people(), tmp_path / "job")
    assert not (tmp_path / "job").exists()


def test_a_value_past_its_promise_names_the_person_and_the_field(tmp_path: Path) -> None:
    from dataclasses import replace

    someone = replace(everybody("charte-cession-eleve", 20)[0], first_name="Wilhelmina " * 9)
    with pytest.raises(FieldDoesNotFit, match=f"personne {someone.id} : « Prénom"):
        press("charte-cession-eleve", "police-10", [someone], tmp_path / "job")
    assert not (tmp_path / "job").exists()
