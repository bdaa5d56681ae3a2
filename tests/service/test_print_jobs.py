"""Print jobs: accepted whole, printed from their rows alone, cancelled and printed again."""

import hashlib
from pathlib import Path
from shutil import rmtree

import pytest
from django.conf import settings

from docgen import library
from docgen.backoffice import models, pressing, print_jobs, shelf, store
from docgen.errors import InvalidInput, Unavailable
from docgen.pagecode import Key
from tests.helpers import edited, poppler
from tests.service import town
from workers.print_jobs import _runs, print_volume

pytestmark = pytest.mark.django_db(transaction=True)


def content(job: models.PrintJob) -> list[bytes]:
    volumes = job.volumes.order_by("number")
    return [b"".join(store.blocks(volume.sha256)) for volume in volumes]


def words(content: bytes) -> set[str]:
    return set(poppler("pdftotext", content, "-layout").split())


def test_a_job_is_printed_in_volumes_that_are_what_they_are_named() -> None:
    job = town.job(town.school(), 5, volume=2)
    assert (job.stage, job.documents) == ("accepted", 5)
    print_volume("1")
    job.refresh_from_db()
    assert job.stage == "ready"
    volumes = list(job.volumes.order_by("number"))
    assert [volume.documents for volume in volumes] == [2, 2, 1]
    assert [hashlib.sha256(each).hexdigest() for each in content(job)] == [
        volume.sha256 for volume in volumes
    ]
    lines = b"".join(pressing.manifest(job)).decode().splitlines()
    assert len(lines) == 6
    assert lines[-1].split(",")[1:4] == ["E0004", "2DE 1", pressing.file_name(job, 3)]


def test_a_reprint_is_the_same_bytes_and_a_duplicata_differs() -> None:
    job = town.job(town.school(), 3)
    again = print_jobs.reprint(job, "test")
    duplicata = print_jobs.reprint(job, "test", is_duplicata=True)
    print_volume("1")
    assert content(again) == content(job)
    assert content(duplicata) != content(job)


@pytest.mark.embedded
def test_jobs_of_the_same_order_are_told_apart_by_name() -> None:
    school = town.school()
    first, second = town.job(school, 1), town.job(school, 2)
    print_volume(first.volumes.get().pk)
    assert second.name == f"{first.name}-2"
    assert print_jobs.reprint(first, "test").name == f"{first.name}-3"


def test_a_cancelled_job_leaves_no_value_no_name_and_no_file() -> None:
    job = town.job(town.school(), 3)
    print_volume("1")
    (sha256,) = (volume.sha256 for volume in job.volumes.all())
    print_jobs.cancel(job, "test")
    job.refresh_from_db()
    assert job.stage == "cancelled"
    rows = models.Document.objects.filter(volume__job=job)
    assert {(each.person, each.division, each.title) for each in rows} == {("", "", "")}
    assert [each.values for each in rows] == [{}, {}, {}]
    assert all(each.number and each.reference for each in rows)  # its paper is still told
    with pytest.raises(InvalidInput):
        print_jobs.reprint(job, "test")
    with pytest.raises(FileNotFoundError):
        store.opened(sha256)


def test_one_person_who_cannot_be_printed_refuses_the_job() -> None:
    with pytest.raises(InvalidInput):
        town.job(town.school(), 0)
    assert not models.PrintJob.objects.exists()


def test_a_reprint_asks_nothing_of_the_shelf_of_today(tmp_path: Path) -> None:
    template = edited(tmp_path / "shelf", {})
    job = town.job(town.school(), 2, template=template)
    print_volume("1")
    rmtree(tmp_path / "shelf")
    rmtree(settings.DATA / "cache" / "templates", ignore_errors=True)
    _runs.cache_clear()
    shelf._unpacked.cache_clear()
    again = print_jobs.reprint(job, "test")
    duplicata = print_jobs.reprint(job, "test", is_duplicata=True)
    print_volume("1")
    assert content(again) == content(job)
    assert words(content(duplicata)[0]) - words(content(job)[0]) == {"Duplicata"}


@pytest.mark.parametrize("slug", ["charte-cession-eleve", "convention-pret-eleve"])
def test_a_template_is_remembered_with_all_that_it_shares(slug: str) -> None:
    there = library.load(slug)
    kept = shelf.template(shelf.remembered(there))
    assert kept.checksum == there.checksum
    assert kept.folder != there.folder


def test_a_value_too_long_refuses_the_job_with_the_person_and_a_retry_is_possible() -> None:
    school = town.school()
    job = town.job(school, 3, volume=1)
    row = models.Document.objects.filter(volume__job=job).order_by("pk")[1]
    models.Document.objects.filter(pk=row.pk).update(
        values={**row.values, "family_name": "W" * 300}
    )
    print_volume("1")
    job.refresh_from_db()
    assert job.stage == "failed"
    states = job.volumes.order_by("number").values_list("state", flat=True)
    assert list(states) == ["done", "failed", "done"]
    problems = print_jobs.progress(job).problems
    assert {where for _, where, _ in problems} == {"personne E0001"}
    models.Document.objects.filter(pk=row.pk).update(values=row.values)
    assert print_jobs.retry(job, "test") == 1
    print_volume("1")
    job.refresh_from_db()
    assert job.stage == "ready"
    with pytest.raises(InvalidInput):
        print_jobs.retry(job, "test")


def test_a_reprint_keeps_the_key_of_its_job() -> None:
    job = town.job(town.school(), 1)
    first, second = Key(1, b"the first secret"), Key(2, b"the second secret")
    with pytest.raises(Unavailable):
        pressing.run_of(job, {2: second})
    assert pressing.run_of(job, {1: first, 2: second}).key == first
