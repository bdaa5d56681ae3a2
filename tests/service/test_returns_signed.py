"""Of several scans of a side, the signed one is in the signed file, whatever its quality."""

from pathlib import Path

import numpy as np
import pytest

from docgen.backoffice import models, reviews
from docgen.backoffice.gate import SYSTEM
from samples import scanner
from samples.scanner import Paper
from samples.scanning_files import write_pdf
from tests.service import town
from tests.service.test_returns import SHARP, came
from workers.scans import bind_returns, read_scan

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job() -> models.PrintJob:
    return town.job(town.school(), 1, copies=1)


@pytest.fixture
def signed_side(job: models.PrintJob) -> list[Paper]:
    return town.papers(job)[2:]


def stands(batch: models.ScanBatch) -> None:
    """Check that the scan of a batch is the one that is bound, and that it is signed."""
    row = models.Return.objects.get()
    assert (row.stage, row.unsigned, row.problems) == ("bound", [], [])
    assert row.sources[2]["scan"] == str(batch.pk)
    assert [page.batch for page in row.pages.filter(outcome="known")] == [batch]
    assert row.bound_version == row.version


def test_a_clean_copy_does_not_take_the_place_of_a_signed_side(
    job: models.PrintJob, signed_side: list[Paper], tmp_path: Path
) -> None:
    first = came(tmp_path, job.school, signed_side)
    models.ScannedPage.objects.update(quality=0.01)
    clean = came(tmp_path, job.school, signed_side, is_signed=False)
    stands(first)
    page = clean.pages.get()
    assert (page.outcome, page.reason) == ("duplicate", "signed-instead")
    assert "signature" in reviews.sentence(page)


def test_a_side_that_comes_again_signed_takes_the_place_of_the_empty_one(
    job: models.PrintJob, signed_side: list[Paper], tmp_path: Path
) -> None:
    empty = came(tmp_path, job.school, signed_side, is_signed=False)
    row = models.Return.objects.get()
    assert len(row.unsigned) == 2
    models.ScannedPage.objects.update(quality=9.0)  # however sharp
    stands(came(tmp_path, job.school, signed_side))
    page = empty.pages.get()
    assert (page.outcome, page.reason) == ("duplicate", "signed-instead")


def test_of_two_scans_in_one_file_the_signed_one_is_bound(
    job: models.PrintJob, signed_side: list[Paper], tmp_path: Path
) -> None:
    (paper,) = signed_side
    rng, names = np.random.default_rng(3), [zone.name for zone in paper.zones]
    made = [
        scanner.scan(paper, SHARP, rng, signed=[]),
        scanner.scan(paper, SHARP, rng, signed=names),
    ]
    with (tmp_path / "two.pdf").open("wb") as stream:
        write_pdf(stream, made)
    batch = town.sent(tmp_path / "two.pdf", job.school)
    read_scan("1")
    batch.pages.update(outcome="duplicate", reason="twice")  # as if the empty one were sharper
    batch.pages.filter(index=0).update(outcome="known", reason="")
    bind_returns("1")
    stands(batch)
    assert [page.outcome for page in batch.pages.order_by("index")] == ["duplicate", "known"]
    row = models.Return.objects.get()
    assert row.sources[2]["number"] == 2


def test_what_somebody_chose_stays_even_if_another_scan_is_signed(
    job: models.PrintJob, signed_side: list[Paper], tmp_path: Path
) -> None:
    came(tmp_path, job.school, signed_side)
    chosen = came(tmp_path, job.school, signed_side, is_signed=False).pages.get()
    reference = models.Document.objects.get().reference
    reviews.assign(chosen, reference, 3, SYSTEM, replace=True)
    bind_returns("1")
    chosen.refresh_from_db()
    assert (chosen.outcome, chosen.is_by_hand) == ("known", True)
    row = models.Return.objects.get()
    assert row.sources[2]["scan"] == str(chosen.batch_id)
