"""What came home is kept as long as it serves: what was sent, what shows it, what is signed."""

import os
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from docgen.backoffice import housekeeping, models, reviews, scans, store
from docgen.backoffice.gate import SYSTEM
from docgen.backoffice.keeping import Periods, read_periods
from docgen.errors import InvalidInput
from tests.service import homecoming, town
from tests.service.test_housekeeping import age, found
from workers.scans import read_scan

pytestmark = pytest.mark.django_db(transaction=True)
PERIODS = Periods()


@pytest.fixture(autouse=True)
def empty() -> None:
    """Begin with an empty store."""
    for path in list(housekeeping.stored()):
        default_storage.delete(path)


def is_kept(name: str) -> bool:
    return default_storage.exists(store.name(name))


def purged() -> dict[str, tuple[int, int]]:
    dry = found(housekeeping.purge(PERIODS, really=False))
    done = found(housekeeping.purge(PERIODS, really=True))
    assert dry == done
    return done


@pytest.fixture
def batch(tmp_path: Path) -> models.ScanBatch:
    """Give a batch that was read, its document bound."""
    job = town.job(town.school(), 1, copies=1)
    papers = town.papers(job)
    row = town.sent(town.pile(tmp_path / "pile.pdf", papers), job.school)
    read_scan("1")
    back = models.Return.objects.get()
    signed = homecoming.kept(b"%PDF-1.7 signed")
    models.Return.objects.filter(pk=back.pk).update(sha256=signed, stage="bound")
    row.refresh_from_db()
    return row


def test_what_was_sent_goes_first_then_what_shows_it_then_that_it_came(
    batch: models.ScanBatch,
) -> None:
    part, page = batch.parts.get(), batch.pages.order_by("index")[0]
    age(batch, PERIODS.scans - 1)
    assert purged() == {}
    age(batch, PERIODS.scans + 1)
    assert purged() == {"scans": (1, 1)}
    assert not is_kept(batch.sha256)
    assert is_kept(part.copy)
    batch.refresh_from_db()
    assert (batch.stage, batch.label) == ("read", "pile.pdf")
    assert reviews.picture(page)
    reviews.discard(page, "note of somebody", SYSTEM)  # a side can still be looked at
    age(batch, PERIODS.copies + 1)
    assert purged() == {"copies": (1, 2)}
    assert not is_kept(part.copy)
    assert not is_kept(part.previews)
    batch.refresh_from_db()
    assert batch.label == ""
    assert {step.note for step in models.ReviewStep.objects.all()} == {""}
    with pytest.raises(InvalidInput, match="plus conserv"):
        reviews.undo(page, SYSTEM)
    age(batch, PERIODS.documents + 1)
    assert purged()["batches"][0] >= 5  # the batch, its part, its sides, the step
    assert not models.ScannedPage.objects.exists()
    assert models.Return.objects.get().stage != "empty"


def test_signed_files_stay_five_years_and_those_of_attestations_longer(
    batch: models.ScanBatch,
) -> None:
    back = models.Return.objects.get()
    age(back, PERIODS.returns - 1)
    assert "returns" not in purged()
    assert is_kept(back.sha256)
    attestation = models.Attestation.objects.create(
        school=back.school,
        rank=1,
        number=1,
        start_date="2026-09-01",
        end_date="2026-09-02",
        record={},
        region={},
        letterhead={},
    )
    paper = models.Paper.objects.create(
        number=b"123456",
        school=back.school,
        sides=3,
        width=595,
        height=842,
        attestation=attestation,
    )
    models.Return.objects.update(paper=paper)
    age(back, PERIODS.returns + 1)
    assert "returns" not in purged()
    models.Return.objects.update(paper=None)
    assert purged()["returns"] == (1, 1)
    assert not is_kept(back.sha256)
    assert batch.pages.count() == 3


def test_a_file_that_nobody_could_read_is_refused_when_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "pile.pdf"
    path.write_bytes(b"%PDF-1.7 waits")
    batch = town.sent(path, town.school())
    age(batch, PERIODS.scans + 1)
    assert purged() == {"scans": (1, 1)}
    batch.refresh_from_db()
    assert (batch.stage, batch.problems[0][0]) == ("refused", housekeeping.NEVER_READ.what)
    read_scan("1")
    assert batch.parts.get().state == "cancelled"
    assert scans.receive(path, batch.school, "", "api", "test") == (batch, False)


def test_no_file_that_a_scan_names_is_an_orphan(
    batch: models.ScanBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = housekeeping.time.time() + 10 * 24 * 3600
    monkeypatch.setattr(housekeeping.time, "time", lambda: later)
    assert "orphans" not in purged()
    models.Return.objects.update(sha256="")
    assert purged()["orphans"] == (0, 1)


def test_the_print_of_a_convention_goes_with_its_values() -> None:
    name = homecoming.kept(b"%PDF-1.7 a convention")
    paper = models.Paper.objects.create(
        number=b"123456", school=town.school(), sides=1, width=595, height=842, sha256=name
    )
    age(paper, PERIODS.conversions + 1)
    assert purged() == {}
    age(paper, PERIODS.values + 1)
    assert purged() == {"papers": (1, 1)}
    age(paper, PERIODS.documents + 1)
    assert purged() == {"papers": (1, 0)}


def test_what_shows_scans_goes_after_what_was_sent_and_before_its_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCGEN_KEEP_SCANS", "500")
    with pytest.raises(InvalidInput, match="scans"):
        read_periods(tmp_path)
    monkeypatch.setenv("DOCGEN_KEEP_COPIES", "2000")
    with pytest.raises(InvalidInput, match="copies"):
        read_periods(tmp_path)


def test_what_is_borrowed_from_a_store_elsewhere_takes_a_bounded_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [homecoming.kept(bytes([65 + number]) * 1000) for number in range(4)]
    monkeypatch.setattr(store, "MOST_BORROWED", 1500)
    paths = [store._fetched(name) for name in names[:3]]
    assert [path.read_bytes()[:1] for path in paths] == [b"A", b"B", b"C"]
    for hours, path in zip((3, 2, 0), paths, strict=True):  # the last one may still be read
        long_ago = housekeeping.time.time() - hours * 3600
        os.utime(path, (long_ago, long_ago))
    assert store._fetched(names[3]).read_bytes()[:1] == b"D"
    assert [path.exists() for path in paths] == [False, False, True]
    assert store._fetched(names[2]) == paths[2]
    with pytest.raises(store.FAULTS):
        store._fetched("00" * 32)
    assert not list(paths[0].parent.glob(f"{store.WRITING}*"))
