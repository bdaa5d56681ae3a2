"""Print jobs: accepted whole, printed from their rows alone, cancelled and printed again."""

import hashlib

import pytest

from docgen.backoffice import models, pressing, print_jobs, store
from docgen.errors import InvalidInput
from tests.service import town
from workers.print_jobs import print_volume

pytestmark = pytest.mark.django_db(transaction=True)


def content(job: models.PrintJob) -> list[bytes]:
    volumes = job.volumes.order_by("number")
    return [b"".join(store.blocks(volume.sha256)) for volume in volumes]


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


def test_a_cancelled_job_leaves_no_value_and_no_file() -> None:
    job = town.job(town.school(), 3)
    print_volume("1")
    (sha256,) = (volume.sha256 for volume in job.volumes.all())
    print_jobs.cancel(job, "test")
    job.refresh_from_db()
    assert job.stage == "cancelled"
    assert not models.Document.objects.filter(volume__job=job).exists()
    with pytest.raises(FileNotFoundError):
        store.opened(sha256)


def test_one_person_who_cannot_be_printed_refuses_the_job() -> None:
    with pytest.raises(InvalidInput):
        town.job(town.school(), 0)
    assert not models.PrintJob.objects.exists()
