"""Paper that is forged, edited, of other keys: on a scanner, as a stranger would send it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from docgen.backoffice import models, pressing
from docgen.datafolder import data_folder, page_code_key, page_code_keys
from docgen.pagecode import Key
from samples.scanner import Paper
from samples.scanning_strangers import recoded
from tests.service import town
from tests.service.test_returns import came

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job() -> models.PrintJob:
    return town.job(town.school(), 2, copies=1)


@pytest.fixture
def renewed() -> Iterator[Path]:
    """Give the place of a second key; it is taken away after the test."""
    path = data_folder() / "page-code-2.key"
    yield path
    path.unlink(missing_ok=True)


def forged(job: models.PrintJob, paper: Paper, key: Key, *, edited: bool = False) -> Paper:
    symbols = pressing.run_of(job, page_code_keys(data_folder())).symbols
    return recoded(paper, key, symbols, np.random.default_rng(4), edited=edited)


def half(paper: Paper, other: Paper) -> Paper:
    """Give a side whose upper half is another's: two sheets that went through together."""
    picture, middle = paper.picture.copy(), paper.picture.shape[0] // 2
    picture[:middle] = other.picture[:middle]
    return replace(paper, picture=picture, _sizes={})


def test_no_paper_of_a_stranger_reaches_a_document(job: models.PrintJob, tmp_path: Path) -> None:
    papers, ours = town.papers(job), page_code_key(data_folder())
    side, other = papers[2], papers[5]
    sheets = {
        "of another installation": forged(job, side, Key(1, b"another installation")),
        "of a key that we do not have": forged(job, side, Key(7, b"another installation")),
        "edited": forged(job, side, ours, edited=True),
        "half edited": half(side, forged(job, side, ours, edited=True)),
        "half another's": half(side, other),
    }
    batch = came(tmp_path, job.school, sheets.values())
    found = [(page.outcome, page.reason) for page in batch.pages.order_by("index")]
    assert dict(zip(sheets, found, strict=True)) == {
        "of another installation": ("foreign", "code-refused"),
        "of a key that we do not have": ("foreign", "other-key"),
        "edited": ("foreign", "code-refused"),
        "half edited": ("inconsistent", "codes-disagree"),
        "half another's": ("inconsistent", "codes-disagree"),
    }
    assert not models.Return.objects.exists()


def test_paper_of_an_older_key_comes_home_once_the_key_is_renewed(
    job: models.PrintJob, renewed: Path, tmp_path: Path
) -> None:
    papers = town.papers(job)
    renewed.write_bytes(b"a younger secret of this installation")
    renewed.chmod(0o600)
    assert page_code_key(data_folder()).number == 2
    younger = town.papers(town.job(town.school("0750001K"), 1, copies=1))
    batch = came(tmp_path, None, [papers[2], younger[2]])
    assert [page.outcome for page in batch.pages.all()] == ["known", "known"]
    rows = models.Return.objects.all()
    assert [(row.stage, row.unsigned, row.problems) for row in rows] == [("bound", [], [])] * 2


def test_a_side_laid_in_another_document_goes_where_its_code_says(
    job: models.PrintJob, tmp_path: Path
) -> None:
    """The signed sheet of each is in the other's pile, and a photocopy of one comes again."""
    papers = town.papers(job)
    first, second = papers[:3], papers[3:]
    swapped = [*first[:2], second[2], *second[:2], first[2]]
    batch = came(tmp_path, job.school, swapped)
    for paper, page in zip(swapped, batch.pages.order_by("index"), strict=True):
        assert page.back
        assert (bytes(page.back.number).hex(), page.side) == (paper.document, paper.side)
    again = came(tmp_path, job.school, [first[2]], seed=9)
    assert [page.outcome for page in again.pages.all()] == ["duplicate"]
    assert {row.stage for row in models.Return.objects.all()} == {"bound"}
