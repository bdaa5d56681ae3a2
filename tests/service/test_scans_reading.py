"""Files of scans read by workers: every side told, whatever it does to who reads it."""

import faulthandler
import os
import resource
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db.models import F

from docgen.backoffice import claims, models, scans, store
from docgen.scanning import codes, reading
from tests.service import town
from workers.scans import READING, read_scan

pytestmark = pytest.mark.django_db(transaction=True)
Kill = Callable[[], object]


@pytest.fixture
def job() -> models.PrintJob:
    return town.job(town.school(), 2, copies=1)


@pytest.fixture
def by_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files by parts of two sides."""
    monkeypatch.setattr(scans, "PART", 2)
    monkeypatch.setattr(reading, "PART", 2)


def abort() -> None:
    faulthandler.disable()  # pytest's, that would tell of it at length
    os.abort()


def batch_of(job: models.PrintJob, folder: Path) -> models.ScanBatch:
    return town.sent(town.pile(folder / "pile.pdf", town.papers(job)), job.school)


def told(batch: models.ScanBatch) -> list[tuple[str, str]]:
    batch.refresh_from_db()
    return [(str(page.outcome), page.reason) for page in batch.pages.order_by("index")]


def deadly(monkeypatch: pytest.MonkeyPatch, sides: set[int], kill: Kill) -> None:
    """Have some sides kill whoever reads them."""
    real = reading.read_part

    def read(picture: Any, keys: Any) -> Any:  # noqa: ANN401
        if picture.index in sides and not picture.fault:
            kill()
        return codes.read(picture, keys)

    def read_part(*given: Any, **options: Any) -> Any:  # noqa: ANN401
        return real(*given, **options, read=read)

    monkeypatch.setattr(reading, "read_part", read_part)


def test_a_pile_is_read_by_parts_in_the_order_of_the_scanner(
    job: models.PrintJob, tmp_path: Path, by_two: None
) -> None:
    papers = town.papers(job)
    order = np.random.default_rng(5).permutation(len(papers))
    shuffled = [papers[each] for each in order]
    batch = town.sent(town.pile(tmp_path / "pile.pdf", shuffled), job.school)
    assert scans.progress(batch).sides is None
    read_scan("1")
    batch.refresh_from_db()
    assert (batch.stage, batch.kind, batch.sides) == ("read", "pdf", 6)
    assert batch.read_at
    assert [part.first for part in batch.parts.order_by("first")] == [0, 2, 4]
    pages = list(batch.pages.select_related("back", "part").order_by("index"))
    found = [(bytes(page.back.number).hex(), page.side) for page in pages if page.back]
    assert found == [(paper.document, paper.side) for paper in shuffled]
    shown = scans.progress(batch)
    assert (shown.sides, shown.done, shown.outcomes) == (6, 6, {"known": 6})
    for page in pages:
        start, length = page.reading["preview"]
        previews = b"".join(store.blocks(page.part.previews))
        assert previews[start : start + length].startswith(b"\xff\xd8")
        assert b"".join(store.blocks(page.part.copy)).startswith(b"%PDF-1.7")
    assert models.Event.objects.get(kind="scan-read").facts == {"sides": 6, "known": 6}


@pytest.mark.parametrize(
    "kill", [abort, lambda: bytearray(2 * READING.memory)], ids=["fault", "memory"]
)
def test_a_side_that_kills_its_reader_is_lost_alone(
    job: models.PrintJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kill: Kill
) -> None:
    batch = batch_of(job, tmp_path)
    deadly(monkeypatch, {1}, kill)
    read_scan("1")
    known, heavy = ("known", ""), ("unreadable", "too-heavy")
    assert told(batch) == [known, heavy, known, known, known, known]
    (part,) = batch.parts.all()
    assert (part.skipped, part.deaths) == ([1], 0)


def test_a_part_that_goes_on_killing_is_given_up_and_the_others_are_read(
    job: models.PrintJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "PART", 5)
    monkeypatch.setattr(reading, "PART", 5)
    batch = batch_of(job, tmp_path)
    deadly(monkeypatch, {0, 1, 2, 3, 4}, abort)
    read_scan("1")
    assert told(batch) == [("unreadable", "too-heavy")] * 5 + [("known", "")]
    assert batch.parts.get(first=0).skipped == [0, 1, 2, 3, 4]


def spin() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (1, 2))  # its time runs out here
    while True:
        pass


@pytest.mark.parametrize("by", [5, 2], ids=["first-part", "later-part"])
def test_a_part_that_is_slow_as_a_whole_is_cut_and_loses_no_side(
    job: models.PrintJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: int
) -> None:
    monkeypatch.setattr(scans, "FAR", 1)
    monkeypatch.setattr(scans, "PART", by)
    monkeypatch.setattr(reading, "PART", by)
    batch, seen = batch_of(job, tmp_path), tmp_path / "seen"

    def kill() -> None:
        if not seen.exists():
            seen.touch()
            spin()

    deadly(monkeypatch, {3}, kill)
    read_scan("1")
    assert told(batch) == [("known", "")] * 6
    assert [(part.first, part.last) for part in batch.parts.order_by("first")] == (
        [(0, 3), (3, 6)] if by == 5 else [(0, 2), (2, 3), (3, 4), (4, 6)]
    )


def test_a_side_that_takes_all_the_time_is_lost_alone(
    job: models.PrintJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of(job, tmp_path)
    deadly(monkeypatch, {1}, spin)
    read_scan("1")
    assert told(batch)[1] == ("unreadable", "too-heavy")
    assert batch.parts.count() == 1


def test_a_file_that_kills_when_it_is_opened_is_refused(
    job: models.PrintJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of(job, tmp_path)
    monkeypatch.setattr(reading, "read_part", lambda *_, **__: abort())
    read_scan("1")
    batch.refresh_from_db()
    assert batch.stage == "refused"
    assert batch.problems == claims.as_lists([scans.TOO_HEAVY])
    assert not batch.pages.exists()


def test_a_part_that_kills_when_its_file_is_opened_again_ends_unread(
    job: models.PrintJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_two: None
) -> None:
    batch, real = batch_of(job, tmp_path), reading.read_part

    def read_part(path: Path, first: int, *rest: Any, **options: Any) -> Any:  # noqa: ANN401
        return abort() if first == 2 else real(path, first, *rest, **options)

    monkeypatch.setattr(reading, "read_part", read_part)
    read_scan("1")
    known, heavy = ("known", ""), ("unreadable", "too-heavy")
    assert told(batch) == [known, known, heavy, heavy, known, known]


def test_a_file_that_cannot_be_opened_is_refused_and_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "harmed.pdf"
    path.write_bytes(b"%PDF-1.7\nnothing that follows")
    batch = town.sent(path, town.school())
    read_scan("1")
    batch.refresh_from_db()
    assert (batch.stage, batch.sides) == ("refused", None)
    ((what, _, _),) = batch.problems
    assert what
    assert default_storage.exists(store.name(batch.sha256))
    event = models.Event.objects.get(kind="scan-refused")
    assert (event.subject, event.facts) == (str(batch.pk), {"problems": 1})
    assert town.sent(path, batch.school) == batch


def test_a_worker_that_vanished_with_a_part_has_lost_it(
    job: models.PrintJob, tmp_path: Path
) -> None:
    batch = batch_of(job, tmp_path)
    silent = claims.claim(models.ScanPart)
    assert silent
    read_scan("1")
    assert not batch.pages.exists()
    past = timedelta(seconds=claims.LEASE + 1)
    models.ScanPart.objects.update(lease_until=F("lease_until") - past)
    read_scan("1")
    assert told(batch) == [("known", "")] * 6
    late = {"kind": "pdf", "sides": 6, "last": 6, "readings": []}
    assert not scans.finish(silent, late, {"copy": "", "previews": ""})
    assert not scans.fail(silent, [scans.TOO_HEAVY])
    assert not scans.skip(silent, 3)
    assert told(batch) == [("known", "")] * 6


def test_a_store_that_is_away_delays_the_reading(
    job: models.PrintJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of(job, tmp_path)

    def away(_: object) -> str:
        raise ConnectionError("no store")

    with monkeypatch.context() as patch:
        patch.setattr(store, "keep", away)
        read_scan("1")
    part = batch.parts.get()
    assert (part.state, part.delays, part.deaths) == ("waiting", 1, 0)
    models.ScanPart.objects.update(delayed_until=None)
    read_scan("1")
    assert told(batch) == [("known", "")] * 6


def test_parts_set_aside_are_told_and_put_back_in_the_line(
    job: models.PrintJob, tmp_path: Path
) -> None:
    batch = batch_of(job, tmp_path)
    models.ScanPart.objects.update(state="quarantined")
    assert scans.progress(batch).is_stopped
    assert scans.retry(batch, "test") == 1
    assert scans.retry(batch, "test") == 0
    read_scan("1")
    assert told(batch) == [("known", "")] * 6
    assert not scans.progress(batch).is_stopped
