"""Sides whose codes cannot be read are known by the documents that are awaited, and by no other."""

from dataclasses import replace
from pathlib import Path

import pytest

from docgen.backoffice import awaiting, models
from samples.scanner import PRINT_DPI, Paper
from tests.service import homecoming, town
from tests.service.homecoming import coded
from workers.scans import read_scan

pytestmark = pytest.mark.django_db(transaction=True)
UNREADABLE = [("unreadable", "code-damaged")]


@pytest.fixture
def school() -> models.School:
    return town.school()


def inked(paper: Paper) -> Paper:
    """Cover more words of both codes than their check words put right."""
    pixels = paper.picture.copy()
    for x, y, size in paper.codes.values():
        left, bottom, wide = (round(each * PRINT_DPI / 72) for each in (x, y, size))
        top = len(pixels) - bottom - wide
        pixels[top + wide // 4 : top + 3 * wide // 4, left + wide // 4 : left + wide] = 0
    return replace(paper, picture=pixels, _sizes={})


def told(batch: models.ScanBatch) -> list[tuple[str, str]]:
    return [(str(page.outcome), page.reason) for page in homecoming.pages(batch)]


def of(school: models.School | None) -> dict[str, int]:
    batch = models.ScanBatch(school=school)
    return dict(awaiting.of(models.ScanPart(batch=batch, first=0)))


def test_a_side_under_ink_is_known_of_its_own_school_alone(
    school: models.School, tmp_path: Path
) -> None:
    paper = inked(town.papers(town.job(school, 2, copies=1))[4])
    pile = town.pile(tmp_path / "pile.pdf", [paper], is_signed=False)
    own = town.sent(pile, school)
    read_scan("1")
    (page,) = homecoming.pages(own)
    assert (page.outcome, page.side, page.reading["step"]) == ("known", paper.side, "matched")
    assert bytes(page.back.number).hex() == paper.document
    again = town.pile(tmp_path / "again.pdf", [paper], is_signed=False, seed=2)
    elsewhere = [town.sent(again, other) for other in (town.school("0750001A"), None)]
    read_scan("1")
    assert [told(batch) for batch in elsewhere] == [UNREADABLE] * 2


def test_what_is_awaited_is_what_was_printed_and_is_not_home(school: models.School) -> None:
    first, second = homecoming.printed(school)
    numbers = [bytes(each.number).hex() for each in (first, second)]
    assert of(school) == dict.fromkeys(numbers, 3)
    assert of(None) == of(town.school("0750001A")) == {}
    homecoming.came(school, [coded(first, 1), coded(second, 3)])
    assert of(school) == {numbers[0]: 3}  # what must come home of the second is there
    models.PrintJob.objects.update(stage=models.PrintJob.Stage.CANCELLED)
    assert of(school) == {}


def test_the_newest_documents_are_awaited(
    school: models.School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaiting, "MOST", 1)
    _, second = homecoming.printed(school)
    assert of(school) == {bytes(second.number).hex(): 3}
