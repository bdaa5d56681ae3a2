"""What is kept long enough goes, whole; a dry run tells the same and takes nothing."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models.functions import Now

from docgen.backoffice import beats, housekeeping, models, print_jobs, releases, store
from docgen.backoffice.keeping import Periods, read_periods
from docgen.errors import InvalidInput
from tests.service import town
from workers import chores
from workers.print_jobs import print_volume

pytestmark = pytest.mark.django_db(transaction=True)
PERIODS = Periods()
DAY = 24 * 3600


def age(row: object, days: int, field: str = "created_at") -> None:
    model = type(row)
    model._default_manager.filter(pk=row.pk).update(**{field: Now() - timedelta(days=days)})  # type: ignore[attr-defined]


def printed(days: int) -> models.PrintJob:
    job = town.job(town.school(), 3)
    print_volume("1")
    job.refresh_from_db()
    releases.ticket(job)
    age(job, days)
    job.refresh_from_db()
    return job


def found(done: list[housekeeping.Tally]) -> dict[str, tuple[int, int]]:
    return {each.kind: (each.rows, each.files) for each in done if each.rows or each.files}


def put(content: bytes, folder: Path) -> str:
    path = folder / "file"
    path.write_bytes(content)
    return store.keep(path)


@pytest.fixture(autouse=True)
def empty() -> None:
    """Begin with an empty store: other tests leave files there, and rows that name none."""
    for path in list(housekeeping.stored()):
        default_storage.delete(path)


def test_the_files_of_a_job_go_first_then_what_it_says_then_its_documents() -> None:
    job = printed(PERIODS.volumes - 1)
    assert found(housekeeping.purge(PERIODS, really=True)) == {}
    age(job, PERIODS.volumes + 1)
    files = print_jobs.files_of(job)
    assert len(files) == 3  # the volume, its lines of the manifest, the ticket
    assert found(housekeeping.purge(PERIODS, really=True)) == {"volumes": (1, 3)}
    assert not any(default_storage.exists(store.name(each)) for each in files)
    job.refresh_from_db()
    assert job.purged_at is not None
    again = print_jobs.reprint(job, "test")  # what it says is still there
    print_jobs.cancel(again, "test")
    age(job, PERIODS.values + 1)
    assert found(housekeeping.purge(PERIODS, really=True)) == {"values": (3, 0)}
    row = models.Document.objects.filter(volume__job=job)[0]
    assert (row.values, row.title) == ({}, "")
    assert row.reference
    job.refresh_from_db()
    assert (job.constants, job.letterhead) == ({}, {})
    with pytest.raises(InvalidInput, match="durée de conservation"):
        print_jobs.reprint(job, "test")
    age(job, PERIODS.documents + 1)
    assert found(housekeeping.purge(PERIODS, really=True)) == {"documents": (3, 0)}
    assert found(housekeeping.purge(PERIODS, really=True)) == {}


def test_a_dry_run_tells_the_same_and_takes_nothing() -> None:
    job = printed(PERIODS.documents + 1)
    volume = models.Volume.objects.get(job=job)
    told = housekeeping.purge(PERIODS, really=False)
    assert found(told) == {"volumes": (1, 3), "values": (3, 0), "documents": (3, 0)}
    assert sum(each.size for each in told) > volume.size
    volume.refresh_from_db()
    assert b"".join(store.blocks(volume.sha256)).startswith(b"%PDF")
    assert models.Document.objects.filter(volume=volume).exclude(values={}).count() == 3
    assert not models.Event.objects.filter(kind="purged").exists()
    assert found(housekeeping.purge(PERIODS, really=True)) == found(told)


def test_a_file_that_another_row_names_stays() -> None:
    job = printed(PERIODS.volumes + 1)
    again = print_jobs.reprint(job, "test")
    print_volume("1")
    volume = models.Volume.objects.get(job=again)
    assert volume.sha256 == models.Volume.objects.get(job=job).sha256
    done = found(housekeeping.purge(PERIODS, really=True))
    assert done["volumes"][1] < 3
    assert b"".join(store.blocks(volume.sha256)).startswith(b"%PDF")


def test_a_job_that_was_never_printed_is_cancelled_with_all_that_it_says() -> None:
    job = town.job(town.school(), 3)
    age(job, PERIODS.volumes + 1)
    assert found(housekeeping.purge(PERIODS, really=False)) == {"volumes": (1, 0)}
    assert models.Document.objects.filter(volume__job=job).count() == 3
    housekeeping.purge(PERIODS, really=True)
    job.refresh_from_db()
    assert job.stage == "cancelled"
    assert not models.Document.objects.filter(volume__job=job).exclude(person="").exists()


def test_answers_calls_and_sign_ins_go_in_their_time() -> None:
    from axes.models import AccessAttempt
    from django.contrib.sessions.models import Session

    client = models.Client.objects.create(
        name="x", role="back_office", digest="d", expires_at=Now()
    )
    hook = models.Hook.objects.create(client=client, url="https://x.test")
    calls = [
        models.HookCall.objects.create(hook=hook, kind="x", body={}, state=state)
        for state in ("done", "waiting")
    ]
    for call in calls:
        age(call, PERIODS.calls + 1)
    answers = [models.IdempotentAnswer.objects.create(actor="x", key=key) for key in "ab"]
    age(answers[0], PERIODS.answers + 1)
    attempt = AccessAttempt.objects.create(username="x", failures_since_start=1)
    age(attempt, PERIODS.access + 1, "attempt_time")
    Session.objects.create(session_key="x", expire_date=Now() - timedelta(days=1))
    assert found(housekeeping.purge(PERIODS, really=True)) == {
        "answers": (1, 0),
        "calls": (1, 0),
        "sign-ins": (1, 0),
        "sessions": (1, 0),
    }
    assert models.HookCall.objects.get() == calls[1]


def test_events_go_after_their_time_and_the_purge_itself_is_told() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO backoffice_event (at, kind, school, subject, actor, facts)"
            " VALUES ('2020-01-01', 'old', '', 'x', 'test', '{}')"
        )
    assert found(housekeeping.purge(PERIODS, really=True)) == {"events": (1, 0)}
    told = models.Event.objects.get()
    assert (told.kind, told.subject, told.facts) == ("purged", "events", {"files": 0, "rows": 1})


def test_orphans_go_after_two_days_and_what_is_named_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan, kept = put(b"orphan", tmp_path), put(b"kept", tmp_path)
    row = models.SchoolModel(school=town.school(), slug="x", sha256=kept, accepted_by="x")
    row.save()
    half = default_storage.save(f"{orphan[:2]}/.writing-x", ContentFile(b"half"))
    assert "orphans" not in found(housekeeping.purge(PERIODS, really=True))
    later = time.time() + 3 * DAY
    monkeypatch.setattr(time, "time", lambda: later)
    assert found(housekeeping.purge(PERIODS, really=False))["orphans"] == (0, 2)
    assert default_storage.exists(half)
    assert found(housekeeping.purge(PERIODS, really=True))["orphans"] == (0, 2)
    there = [default_storage.exists(each) for each in (store.name(orphan), store.name(kept), half)]
    assert there == [False, True, False]


def test_what_the_killed_left_goes_after_a_day() -> None:
    left = settings.UPLOADS / "of-a-request.upload"
    fresh = settings.UPLOADS / "fresh.upload"
    bell = settings.QUEUE_FOLDER / "old.press.msg"
    settings.QUEUE_FOLDER.mkdir(exist_ok=True)
    for path in (left, fresh, bell):
        path.write_bytes(b"x")
    for path in (left, bell):
        os.utime(path, (0, 0))
    beat = models.Beat.objects.create(name="worker/elsewhere/1")
    age(beat, 2, "at")
    done = found(housekeeping.purge(PERIODS, really=True))
    assert done["temporary"][0] == 1
    assert done["temporary"][1] >= 2
    assert (left.exists(), fresh.exists(), bell.exists()) == (False, True, False)
    fresh.unlink()


def test_what_was_put_aside_in_the_watched_folder_goes_in_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "INBOX", tmp_path / "arrivees")
    (tmp_path / "elsewhere" / "recus").mkdir(parents=True)
    stays = [tmp_path / "elsewhere" / "recus" / "x.pdf", tmp_path / "arrivees" / "new.pdf"]
    goes = [
        tmp_path / "arrivees" / folder / f"x.{end}"
        for folder in ("recus", "refuses", "0130010R/recus")
        for end in ("pdf", "txt")
    ]
    for path in (*goes, *stays):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"scan")
    (tmp_path / "arrivees" / "0130011S").symlink_to(tmp_path / "elsewhere")
    assert "arrivals" not in found(housekeeping.purge(PERIODS, really=True))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 91 * DAY)
    assert found(housekeeping.purge(PERIODS, really=False))["arrivals"] == (0, 6)
    assert all(path.exists() for path in (*goes, *stays))
    assert found(housekeeping.purge(PERIODS, really=True))["arrivals"] == (0, 6)
    assert not any(path.exists() for path in goes)
    assert all(path.exists() for path in stays)


def test_of_many_workers_one_purges_once_a_day() -> None:
    assert beats.take("purge", timedelta(days=1))
    assert not beats.take("purge", timedelta(days=1))
    job = town.job(town.school(), 3)
    age(job, PERIODS.volumes + 1)
    chores.do()
    job.refresh_from_db()
    assert job.stage == "accepted"
    age(models.Beat.objects.get(name="chore/purge"), 2, "at")
    chores.do()
    job.refresh_from_db()
    assert job.stage == "cancelled"


def test_periods_come_from_the_environment_then_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_periods(tmp_path) == Periods()
    (tmp_path / "docgen.toml").write_text("[keep]\nvolumes = 10\nvalues = 20\n")
    monkeypatch.setenv("DOCGEN_KEEP_VALUES", "30")
    assert read_periods(tmp_path) == Periods(volumes=10, values=30)


def test_all_that_is_wrong_with_periods_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docgen.toml").write_text(
        "[keep]\nvolumes = 500\nevents = 10\nnames = 1\ncalls = true\n", encoding="utf-8"
    )
    monkeypatch.setenv("DOCGEN_KEEP_ANSWERS", "toujours")
    with pytest.raises(InvalidInput) as refused:
        read_periods(tmp_path)
    assert {each.where for each in refused.value.problems} == {
        "docgen.toml, events",
        "docgen.toml, names",
        "docgen.toml, calls",
        "DOCGEN_KEEP_ANSWERS",
        "volumes",
    }
    (tmp_path / "docgen.toml").write_bytes(b"\xff")
    monkeypatch.delenv("DOCGEN_KEEP_ANSWERS")
    with pytest.raises(InvalidInput, match="TOML"):
        read_periods(tmp_path)
