"""Print jobs told as they are: sheets, progress, duplicata, and what happens at the same moment."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from django.conf import settings
from django.utils import timezone

from docgen.backoffice import claims, models, pressing, print_jobs, registers, store
from docgen.backoffice.models import State
from docgen.errors import InvalidInput, Problem
from tests.helpers import edited, poppler
from tests.service import town
from tests.service.moments import at_once
from tests.unit.test_pdfx import profile
from workers.print_jobs import print_volume

pytestmark = pytest.mark.django_db(transaction=True)


def content(job: models.PrintJob) -> list[bytes]:
    volumes = job.volumes.order_by("number")
    return [b"".join(store.blocks(volume.sha256)) for volume in volumes]


def pages(content: bytes) -> int:
    (line,) = (
        each for each in poppler("pdfinfo", content).splitlines() if each.startswith("Pages")
    )
    return int(line.split()[1])


@pytest.mark.parametrize("layout", ["entier", "reduction"])
def test_the_sheets_told_are_those_of_the_files(layout: str) -> None:
    job = town.job(town.school(), 1, layout=layout, separators=True)
    promised = job.sheets
    print_volume("1")
    job.refresh_from_db()
    (document,) = models.Document.objects.values_list("pk", flat=True)
    again = print_jobs.reprint(job, "test")
    alone = print_jobs.reprint(job, "test", documents=[document])
    assert (again.sheets, alone.sheets) == (promised, promised)
    print_volume("1")
    for row in (job, again, alone):
        row.refresh_from_db()
        assert row.sheets == sum(pages(each) for each in content(row)) // 2
        assert row.sheets == pressing.report(row).sheets
        assert print_jobs.progress(row).sheets == row.sheets
    assert alone.sheets == promised


def test_a_duplicata_of_a_duplicata_is_one() -> None:
    job = town.job(town.school(), 1, copies=2)
    for _ in range(5):
        job = print_jobs.reprint(job, "test", is_duplicata=True)
    marks = models.Document.objects.filter(volume__job=job).order_by("position")
    assert list(marks.values_list("mark", flat=True)) == [
        "Exemplaire établissement, duplicata",
        "Exemplaire famille, duplicata",
    ]
    single = town.job(town.school(), 1, copies=1)
    for _ in range(2):
        single = print_jobs.reprint(single, "test", is_duplicata=True)
    assert models.Document.objects.get(volume__job=single).mark == "Duplicata"


def test_some_documents_are_printed_again_in_their_order_whatever_is_asked() -> None:
    job = town.job(town.school(), 5, volume=2)
    ids = list(models.Document.objects.filter(volume__job=job).order_by("pk"))
    wanted = [ids[4].pk, ids[0].pk, ids[3].pk, ids[0].pk]
    again = print_jobs.reprint(job, "test", documents=wanted)
    print_volume("1")
    found = models.Document.objects.filter(volume__job=again).order_by("volume", "position")
    assert [each.person for each in found] == ["E0000", "E0003", "E0004"]
    assert [pages(each) for each in content(again)] == [8, 4]


def test_progress_counts_what_is_printed_or_being_printed() -> None:
    job = town.job(town.school(), 6, volume=2)
    first = claims.claim(models.Volume)
    assert first
    claims.renew(first, 2)
    print_jobs.fail(first, [Problem("refusé.")])
    second = claims.claim(models.Volume)
    assert second
    claims.renew(second, 1)
    told = print_jobs.progress(job)
    assert (told.done, told.sheets) == (1, 2)
    # Three are left to print: those of a refused volume wait for somebody.
    assert told.seconds_left == pytest.approx(3 / told.rate, abs=1 + 3 / told.rate * 0.2)
    print_jobs.cancel(job, "test")
    job.refresh_from_db()
    told = print_jobs.progress(job)
    assert (told.done, told.rate, told.seconds_left) == (0, 0, None)


def test_what_is_retried_days_later_is_told_at_the_pace_of_that_day() -> None:
    job = town.job(town.school(), 2, volume=1)
    before = timezone.now() - timedelta(days=3)
    first, second = claims.claim(models.Volume), claims.claim(models.Volume)
    assert first
    assert second
    print_jobs.fail(second, [Problem("refusé.")])
    claims.finish(first, done=1)
    models.PrintJob.objects.update(created_at=before, stage="failed")
    models.Volume.objects.filter(pk=first.pk).update(finished_at=before)
    print_jobs.retry(job, "test")
    job.refresh_from_db()
    told = print_jobs.progress(job)
    assert (told.done, told.rate, told.seconds_left) == (1, 0, None)
    third = claims.claim(models.Volume)
    assert third
    claims.renew(third, 1)
    told = print_jobs.progress(job)
    assert told.rate > 0.01
    assert told.seconds_left == 0


def test_nothing_that_was_purged_is_retried() -> None:
    job = town.job(town.school(), 1)
    volume = claims.claim(models.Volume)
    assert volume
    print_jobs.fail(volume, [Problem("refusé.")])
    models.PrintJob.objects.update(purged_at=timezone.now(), letterhead={}, constants={})
    with pytest.raises(InvalidInput):
        print_jobs.retry(job, "test")
    assert models.Volume.objects.get().state == State.FAILED


def test_only_a_job_that_is_made_is_ready() -> None:
    job = town.job(town.school(), 1)
    volume = claims.claim(models.Volume)
    assert volume
    print_jobs.fail(volume, [Problem("refusé.")])
    job.refresh_from_db()
    assert (job.stage, job.ready_at) == ("failed", None)


def test_what_two_people_do_at_once_leaves_a_job_whole() -> None:
    """A volume is finished, and its job cancelled, retried and printed again, in any order."""
    school = town.school()
    for _ in range(4):
        job = town.job(school, 4, volume=1)
        volumes = [claims.claim(models.Volume) for _ in range(4)]
        path = settings.DATA / "empty"
        path.write_bytes(b"")
        facts = dict.fromkeys(("sha256", "register"), store.keep(path))
        print_jobs.fail(volumes.pop(), [Problem("refusé.")])  # type: ignore[arg-type]
        last = volumes[-1]
        assert last
        for volume in volumes[:-1]:
            assert volume
            print_jobs.finish(volume, facts)
        found = at_once(
            lambda last=last, facts=facts: print_jobs.finish(last, facts),
            lambda job=job: print_jobs.retry(job, "test"),
            lambda job=job: print_jobs.cancel(job, "test"),
            lambda job=job: print_jobs.reprint(job, "test"),
        )
        allowed = InvalidInput | FileNotFoundError | models.PrintJob | int | None
        assert [each for each in found if not isinstance(each, allowed)] == []
        job.refresh_from_db()
        assert job.stage == "cancelled"
        assert {each.state for each in job.volumes.all()} == {State.CANCELLED}
        assert not models.Document.objects.filter(volume__job=job).exclude(person="").exists()
        for again in job.reprints.all():
            assert models.Document.objects.filter(volume__job=again).count() == 4
            print_jobs.cancel(again, "test")


def test_pdf_x_is_printed_again_and_refused_to_a_template_with_colours(tmp_path: Path) -> None:
    path = tmp_path / "presse.icc"
    path.write_bytes(profile())
    school = town.school()
    job = town.job(school, 1, profile=path)
    red = edited(tmp_path, {"style.css": [("", "h1 { color: #c00000 }\n")]})
    coloured = town.job(school, 1, profile=path, template=red)
    again = print_jobs.reprint(job, "test")
    print_volume("1")
    assert content(again) == content(job)
    assert b"GTS_PDFX" in content(job)[0]
    coloured.refresh_from_db()
    assert coloured.stage == "failed"


def test_a_ticket_tells_the_copies_that_are_printed_again() -> None:
    job = town.job(town.school(), 2, copies=2)
    wanted = models.Document.objects.filter(mark="Exemplaire famille").values_list("pk", flat=True)
    again = print_jobs.reprint(job, "test", documents=list(wanted), is_duplicata=True)
    assert pressing.report(again).copies == 1
    assert print_jobs.reprint(again, "test").marks == again.marks == ["Exemplaire famille"]


def test_a_job_for_1000_is_accepted_and_told_in_a_few_queries(
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    school = town.school()
    town.people(school, 1000)
    as_it_is = patch.object(town, "people", lambda row, _: registers.roster(row, "pupil"))
    with as_it_is, django_assert_max_num_queries(60):  # type: ignore[attr-defined]
        job = town.job(school, 1000, copies=1)
    with django_assert_max_num_queries(3):  # type: ignore[attr-defined]
        print_jobs.progress(job)
