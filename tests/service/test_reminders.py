"""Reminders are rows, events and mails: each once, on its day, whoever raises it."""

import threading
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from docgen.backoffice import messages, models, originals, registers, reminders
from docgen.errors import InvalidInput
from docgen.mailing.words import Late
from docgen.reminding import Rules
from tests.helpers import refusal
from tests.service import callers, ledger_town, town
from tests.service.test_attestations import handed, issue
from workers import chores

pytestmark = pytest.mark.django_db(transaction=True)
ISSUED = date(2026, 10, 2)
NUMBER = b"number"


@pytest.fixture
def school() -> models.School:
    return town.school()


def at(day: date, hour: int = 9) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def ready(row: models.Attestation, at: datetime) -> None:
    models.Attestation.objects.filter(pk=row.pk).update(state="done", finished_at=at)


def found() -> list[tuple[str, str, date]]:
    rows = models.Reminder.objects.order_by("pk")
    return list(rows.values_list("kind", "subject", "due_date"))


def run(start: date, end: date) -> list[tuple[date, str]]:
    """Run day by day; tell what was raised on which day."""
    told = []
    while start <= end:
        told += [(start, row.kind) for row in reminders.raise_due(start)]
        start += timedelta(days=1)
    return told


def returned(row: models.Attestation) -> None:
    facts = {"school_id": row.school_id, "number": NUMBER, "sides": 1}
    size = {"width": 595, "height": 842, "slug": "attestation-cession", "is_mailed": True}
    paper = models.Paper.objects.create(**facts, **size, attestation=row)
    models.Return.objects.create(**facts, paper=paper, stage="bound")


def mailed(row: models.Attestation, at: datetime, **changes: Any) -> None:  # noqa: ANN401
    facts = {"stage": "sent", "role": "region", "version": 1, "sent_at": at, **changes}
    who = {"school_id": row.school_id, "recipient": "region@example.org"}
    models.Delivery.objects.create(attestation=row, **who, **facts)


def test_an_attestation_is_followed_from_print_to_its_original(school: models.School) -> None:
    """Day by day where something is late, to the end of the school year and after it."""
    handed(school, 2)
    row = issue(school)
    ready(row, at(ISSUED))
    # Printed: fourteen days, over the end of summer time.
    originals.fetched(row, "user:1")
    models.Original.objects.update(fetched_at=at(date(2026, 10, 12), 22))  # the 13th in Paris
    assert run(ISSUED, date(2026, 11, 8)) == [(date(2026, 10, 27), "not-returned")]
    returned(row)
    mailed(row, at(date(2026, 11, 1)), is_test=True)
    mailed(row, at(date(2026, 11, 2)), version=2, bounced_at=at(date(2026, 11, 3)))
    mailed(row, at(date(2026, 11, 9), 23), version=3)
    assert run(date(2026, 11, 9), date(2026, 12, 31)) == [(date(2026, 12, 10), "not-received")]
    models.Original.objects.update(received_at=at(date(2027, 1, 2)))
    handed(school, 1, first=2, day=date(2027, 5, 20))
    handed(school, 1, first=3, day=None)
    assert run(date(2027, 3, 27), date(2027, 3, 29)) == []  # summer time begins
    assert run(date(2027, 5, 29), date(2027, 7, 2)) == [
        (date(2027, 5, 31), "year-ends"),
        (date(2027, 6, 19), "not-attested"),
    ]
    assert models.Reminder.objects.count() == models.Message.objects.count() == 4
    kinds = models.Event.objects.filter(kind="reminder-raised").order_by("pk")
    assert [event.facts["late"] for event in kinds] == [
        *("not-returned", "not-received", "year-ends", "not-attested")
    ]


def test_what_was_attested_and_comes_back_late_is_told_again(school: models.School) -> None:
    handed(school, 1)
    assert run(date(2026, 10, 13), date(2026, 10, 15)) == [(date(2026, 10, 14), "not-attested")]
    ready(issue(school), at(ISSUED))
    returned(models.Attestation.objects.get())
    assert run(date(2026, 10, 16), date(2026, 11, 20)) == []
    handed(school, 1, first=1, day=date(2026, 10, 20))
    assert run(date(2026, 11, 10), date(2026, 12, 20)) == [(date(2026, 11, 19), "not-attested")]
    registers.cancel_cession(models.Cession.objects.get(serial="TE0001"), "test")
    assert run(date(2027, 5, 20), date(2027, 7, 10)) == []


def test_nobody_can_guess_what_a_reminder_is_called(school: models.School) -> None:
    """A notice that names its Message-ID would send it back (RFC 3464)."""
    handed(school, 1)
    (row,) = reminders.raise_due(date(2026, 10, 20))
    key = models.Message.objects.get().key
    assert key not in {f"reminder:{row.pk}", f"reminder:{row.school_id}:{row.kind}:{row.subject}"}
    models.Message.objects.all().delete()
    models.Reminder.objects.all().delete()
    reminders.raise_due(date(2026, 10, 20))
    assert models.Message.objects.get().key != key


def test_a_service_that_slept_tells_when_it_wakes_up(school: models.School) -> None:
    handed(school, 1)
    (row,) = reminders.raise_due(date(2027, 1, 5))
    assert (row.kind, row.due_date) == ("not-attested", date(2026, 10, 14))
    assert reminders.raise_due(date(2027, 1, 5)) == []


def test_a_mail_is_what_the_school_reads(
    school: models.School, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Late] = []
    of_reminder = reminders.words.of_reminder

    def heard(late: Late) -> Any:  # noqa: ANN401
        told.append(late)
        return of_reminder(late)

    monkeypatch.setattr(reminders.words, "of_reminder", heard)
    handed(school, 3)
    reminders.raise_due(date(2026, 10, 20))
    mail = models.Message.objects.get()
    assert mail.kind == "reminder"
    assert mail.recipient == school.email
    assert "Rappel" in mail.subject
    (late,) = told
    assert asdict(late) | {"region": None} == {
        "kind": "not-attested",
        "uai": school.uai,
        "school": school.name,
        "school_year": "2026-2027",
        "region": None,
        "number": 0,
        "period": None,
        "reference": "",
        "since": date(2026, 9, 14),
        "pupils": 3,
        "teachers": 0,
        "last_day": date(2027, 6, 30),
        "posted_date": None,
        "scans_to": "",
    }


def test_a_school_without_an_address_is_told_in_its_list(school: models.School) -> None:
    models.School.objects.update(email="")
    handed(school, 1)
    assert len(reminders.raise_due(date(2026, 11, 1))) == 1
    assert not models.Message.objects.exists()
    (item,) = (
        Client(headers=callers.token("school", school)).get("/api/v1/reminders").json()["items"]
    )
    assert (item["kind"], item["due_date"]) == ("not-attested", "2026-10-14")
    assert item["counts"] == {"pupils": 1, "teachers": 0}
    other = callers.token("school", town.school("0750001K"))
    assert Client(headers=other).get("/api/v1/reminders").json()["items"] == []


def test_workers_that_remind_at_once_remind_once(school: models.School) -> None:
    ledger_town.fill(schools=6, cessions=12, seed=2)
    models.Attestation.objects.update(state="done", finished_at=at(ISSUED))
    for row in models.Attestation.objects.all():
        row.record["issued_date"] = "2026-10-02"
        row.save(update_fields=["record"])
    raised: list[models.Reminder] = []
    barrier = threading.Barrier(3)

    def remind() -> None:
        barrier.wait()
        try:
            raised.extend(reminders.raise_due(date(2026, 12, 1)))
        finally:
            connection.close()

    threads = [threading.Thread(target=remind) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(raised) == models.Reminder.objects.count() > 6
    events = models.Event.objects.filter(kind="reminder-raised").values_list("subject", flat=True)
    assert sorted(events) == sorted(str(row.pk) for row in raised)


def test_one_school_that_cannot_be_told_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    write = messages.write

    def broken(kind: str, key: str, school: models.School, *rest: Any) -> Any:  # noqa: ANN401
        if school.pk == "0130010R":
            raise OSError(school.pk)
        return write(kind, key, school, *rest)

    monkeypatch.setattr(messages, "write", broken)
    first, second = town.school("0130010R"), town.school("0750001K")
    for each in (first, second):
        handed(each, 1)
    with pytest.raises(OSError, match="0130010R"):
        reminders.raise_due(date(2026, 11, 1))
    assert [row.school_id for row in models.Reminder.objects.all()] == [second.pk]
    monkeypatch.setattr(messages, "write", write)
    (row,) = reminders.raise_due(date(2026, 11, 2))
    assert row.school_id == first.pk


def test_the_chore_reminds_and_a_fault_is_told(
    school: models.School, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    handed(school, 1, day=timezone.localdate() - timedelta(days=30))
    chores.do()
    assert "not-attested" in {kind for kind, *_ in found()}
    models.Beat.objects.all().delete()
    monkeypatch.setenv("DOCGEN_REMIND_NOT_RETURNED", "bientôt")
    chores.do()
    assert "reminders failed" in caplog.text


def test_settings_are_read_and_refused_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reminders.read_rules(tmp_path) == Rules()
    content = '[remind]\nnot_returned = 21\nyear_ends = 0\nschool_year_end = "07-05"\n'
    (tmp_path / "docgen.toml").write_text(content, encoding="utf-8")
    monkeypatch.setenv("DOCGEN_REMIND_YEAR_ENDS", "45")
    assert reminders.read_rules(tmp_path) == Rules(
        not_returned=21, year_ends=45, school_year_end="07-05"
    )
    content = "[remind]\nnot_returned = -1\nnot_received = 400\nwhen = 1\n"
    content += 'school_year_end = "02-29"\n'
    (tmp_path / "docgen.toml").write_text(content, encoding="utf-8")
    problems = refusal(lambda: reminders.read_rules(tmp_path), InvalidInput)
    assert [each.where for each in problems] == [
        f"docgen.toml, {name}"
        for name in ("not_returned", "not_received", "when", "school_year_end")
    ]
    (tmp_path / "docgen.toml").unlink()
    for text in ("08-01", "6-30", "2027-06-30", ""):
        monkeypatch.setenv("DOCGEN_REMIND_SCHOOL_YEAR_END", text)
        assert refusal(lambda: reminders.read_rules(tmp_path), InvalidInput)


def test_what_is_reminded_of_is_what_is_attested(school: models.School) -> None:
    """The histories of the ledger: a school is reminded of cessions when it has some to attest."""
    ledger_town.fill(schools=8, cessions=20, seed=9)
    models.Attestation.objects.all().update(record={"issued_date": "2026-10-02"})
    waiting = {
        facts.school: sum(w.pupils + w.teachers for w in facts.waiting)
        for facts in reminders._facts()
    }
    for line in reminders.ledger.lines(reminders.ledger.gate.SYSTEM):
        undated = models.Cession.objects.filter(
            school=line.school, ceded_date=None, cancelled_at=None
        )
        attested = models.AttestedCession.objects.filter(withdrawn_by=None, school=line.school)
        keys = set(attested.values_list("serial", "person"))
        lost = [row for row in undated if (row.serial, row.person.internal_id) not in keys]
        assert waiting.get(line.school, 0) == line.tablets.to_attest - len(lost)
