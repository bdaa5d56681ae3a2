"""A whole return: 100 documents of 5 sides in four files, with all that goes wrong in a school."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.random import Generator

from docgen import library
from docgen.backoffice import models, pressing, registers, scans, store
from docgen.datafolder import data_folder, page_code_key, page_code_keys
from docgen.pagecode import Key
from docgen.press import Order, prepare
from docgen.records import Roster
from docgen.rendering.imposition import CODE_SIZE
from docgen.rendering.pictures import greys
from docgen.rendering.printfile import Run, bind
from docgen.rendering.symbols import MODULES
from samples import scanner, scanning_strangers
from samples.scanner import MM, Paper, Scan
from samples.scanning_files import write_pdf
from samples.scanning_strangers import blank_back, recoded
from tests import helpers
from tests.service import town
from workers.print_jobs import print_volume
from workers.scans import bind_returns, read_scan

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.embedded]
DOCUMENTS, SIDES, FILES = 100, 5, 4
FINDER = 8  # modules of a finder pattern, with the light ones around it
DPI = 100  # of the print and of its scans: finer only takes longer
SLUG = "charte-cession-eleve"
STRANGER = Key(1, b"another installation")


@dataclass(frozen=True)
class Sheet:
    """A side to put on the scanner: its page of the print, and what is done to it."""

    page: int
    kind: str = "known"


@dataclass(frozen=True)
class Printed:
    """A job on paper: its file, how it was made, and its documents' numbers in order."""

    content: bytes
    run: Run
    numbers: list[str]


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw prints at the resolution of their scans."""
    for module in (scanner, scanning_strangers):
        monkeypatch.setattr(module, "PRINT_DPI", DPI)


@pytest.fixture
def printed(tmp_path: Path) -> Printed:
    """Print the pupil's charter, all of whose sides are wanted back."""
    folder = library.load(SLUG).folder
    shelf = tmp_path / "shelf"
    for each in (folder.parent.parent / "_commun", folder.parent / "_commun", folder):
        copied = shelf / each.relative_to(folder.parent.parent)
        for path in each.rglob("*"):
            if path.is_file():
                target = copied / path.relative_to(each)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    manifest = shelf / folder.parent.name / SLUG / "manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    assert 'returns = "signed"' in text
    manifest.write_text(text.replace('returns = "signed"', 'returns = "all"'), encoding="utf-8")
    template = library.load(SLUG, shelf)
    row = town.school()
    roster = Roster(tuple(helpers.people(DOCUMENTS)), school_year="2026-2027")
    registers.keep_roster(row, "pupil", roster, "test")
    order = Order(
        *(template, template.manifest.layout("police-10"), registers.school(row)),
        *(registers.roster(row, "pupil"), helpers.ON),
    )
    from docgen.backoffice import print_jobs

    job = print_jobs.create(prepare(order, page_code_key(data_folder()), data_folder() / "c"), "t")
    print_volume("1")
    run = pressing.run_of(job, page_code_keys(data_folder()))
    documents = pressing.documents_of(models.Volume.objects.get(job=job))
    content = BytesIO()
    bind(replace(run, padded=False), documents, content)
    return Printed(content.getvalue(), run, [each.number.hex() for each in documents])


def scanned(printed: Printed, sheets: list[Sheet], rng: Generator) -> Iterator[Scan]:
    """Scan sides one by one, any way up, from good and middling office scanners."""
    pictures = greys(printed.content, DPI, [sheet.page for sheet in sheets])
    codes = {at: (x, y, CODE_SIZE) for at, x, y in printed.run.imposition.code_corners()}
    for sheet, picture in zip(sheets, pictures, strict=True):
        document, side = divmod(sheet.page, SIDES)
        paper = Paper(picture, printed.numbers[document], side + 1, SIDES, dict(codes))
        recipe = replace(scanner.office(rng), dpi=DPI)
        if sheet.kind == "foreign":
            paper = recoded(paper, STRANGER, printed.run.symbols, rng)
        elif sheet.kind == "blank":
            paper = blank_back((picture.shape[0], picture.shape[1]))
        elif sheet.kind == "unreadable":
            blotted(paper, rng)
        elif sheet.kind == "double":
            recipe = replace(recipe, blur=0.6, noise=8.0)
        yield scanner.scan(paper, recipe, rng)


def blotted(paper: Paper, rng: Generator) -> None:
    """Leave nothing of both codes but their finder patterns: the rest says nothing any more."""
    for x, y, size in paper.codes.values():
        left, top = (round(mm * DPI / MM) for mm in paper.place(x, y + size))
        edges = np.linspace(0, size * DPI / 72, MODULES + 1).round().astype(int)
        for row, column in product(range(MODULES), range(MODULES)):
            if min(row, MODULES - 1 - row) < FINDER and min(column, MODULES - 1 - column) < FINDER:
                continue
            rows = slice(top + edges[row], top + edges[row + 1])
            paper.picture[rows, left + edges[column] : left + edges[column + 1]] = (
                255 * rng.integers(2)
            )


def plan(rng: Generator) -> list[Sheet]:
    """Choose what is missing, doubled, unreadable, and what was never the school's."""
    pages = rng.permutation(DOCUMENTS * SIDES)
    hurt = [
        int(page) for page in {int(page) // SIDES: page for page in pages}.values()
    ]  # one a document
    missing, unreadable, doubled = hurt[:10], hurt[10:15], hurt[15:25]
    sheets = [
        Sheet(page, "unreadable" if page in unreadable else "known")
        for page in range(DOCUMENTS * SIDES)
        if page not in missing
    ]
    sheets += [Sheet(page, "double") for page in doubled]
    sheets += [Sheet(page, "foreign") for page in hurt[25:35]] + [Sheet(0, "blank")] * 5
    return [sheets[at] for at in rng.permutation(len(sheets))]


def test_a_hundred_documents_come_home_and_the_report_tells_exactly_what_is_not_there(
    printed: Printed, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    sheets = plan(rng)
    batches = []
    for number in range(FILES):
        path = tmp_path / f"{number}.pdf"
        with path.open("wb") as stream:
            write_pdf(stream, scanned(printed, sheets[number::FILES], rng))
        batches.append(town.sent(path, models.School.objects.get()))
    drained()

    found = Counter()
    for number, batch in enumerate(batches):
        told = scans.report(batch)
        sides = sorted(told.sides, key=lambda side: side.number)
        for side, sheet in zip(sides, sheets[number::FILES], strict=True):
            found[sheet.kind, side.outcome] += 1
            if side.outcome == "known":
                assert (side.reference, side.side) == (
                    references(printed)[sheet.page // SIDES],
                    sheet.page % SIDES + 1,
                )
    doubles = found.pop(("double", "known"), 0)  # the better of two scans is the one that is known
    assert found == +Counter(
        {
            ("known", "known"): 485 - doubles,
            ("known", "duplicate"): doubles,
            ("double", "duplicate"): 10 - doubles,
            ("foreign", "foreign"): 10,
            ("blank", "blank"): 5,
            ("unreadable", "unreadable"): 5,
        }
    )

    gone = set(range(DOCUMENTS * SIDES)) - {s.page for s in sheets if s.kind == "known"}
    awaited = {page // SIDES: [page % SIDES + 1] for page in gone}
    rows = {bytes(row.number).hex(): row for row in models.Return.objects.all()}
    assert len(rows) == DOCUMENTS
    assert len(awaited) == 15
    for place, number in enumerate(printed.numbers):
        row = rows[number]
        assert row.missing == awaited.get(place, [])
        assert row.stage == ("partial" if place in awaited else "bound")
        assert bool(row.sha256) == (place not in awaited)
        if row.sha256:
            is_right(row, number)


def references(printed: Printed) -> list[str]:
    rows = {bytes(row.number).hex(): row.reference for row in models.Document.objects.all()}
    return [rows[number] for number in printed.numbers]


def drained() -> None:
    """Have workers do all that there is to do."""
    for task, model in ((read_scan, models.ScanPart), (bind_returns, models.Binding)):
        for _ in range(50):
            task("1")
            if not model.objects.filter(state__in=("waiting", "claimed")).exists():
                break
        assert not model.objects.exclude(state="done").exists()


def is_right(row: models.Return, number: str) -> None:
    """Check that a signed file holds the sides of its document, in order and upright."""
    keys = page_code_keys(data_folder())
    pages = list(greys(b"".join(store.blocks(row.sha256)), DPI))
    assert len(pages) == SIDES
    for side, picture in enumerate(pages, 1):
        seen = helpers.codes_of(picture, keys[max(keys)])
        assert {(each.document.hex(), each.side, each.sides) for each in seen} == {
            (number, side, SIDES)
        }
