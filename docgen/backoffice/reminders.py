"""Reminders: what `docgen.reminding` finds late is told once, by a row, an event and a mail.

`DOCGEN_REMIND_NOT_RETURNED=21`, or in the data folder, `docgen.toml`; 0 never reminds:

    [remind]
    not_returned = 21          # days after an attestation was printed
    not_attested = 30          # days after the oldest cession on no attestation
    year_ends = 30             # days before the school year ends
    not_received = 30          # days after the region was sent an attestation
    school_year_end = "06-30"  # month and day
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from docgen import reminding
from docgen.attestations import Period
from docgen.backoffice import departures, keeping, ledger, messages
from docgen.backoffice.events import tell
from docgen.backoffice.models import Attestation, Cession, Message, Reminder, School, State
from docgen.backoffice.post import address_fault
from docgen.datafolder import data_folder
from docgen.errors import InvalidInput, Problem
from docgen.mailing import words
from docgen.region import read_region
from docgen.reminding import Due, Facts, Rules, Sheet, Waiting

TABLE, PREFIX = "remind", "DOCGEN_REMIND_"
LONGEST = 366  # days
END = "school_year_end"
NAMES = tuple(field.name for field in fields(Rules))


def read_rules(data: Path) -> Rules:
    """Read when to remind; the environment comes before the file, the file before our own.

    Raises:
        InvalidInput: with every problem at once.
    """
    given, problems = keeping.settings_of(data, TABLE, PREFIX)
    read: dict[str, Any] = {}
    for name, (where, value) in given.items():
        number = keeping.whole(value)
        if name not in NAMES:
            known = f"Réglages connus\u00a0: {', '.join(NAMES)}."
            problems.append(Problem("ce réglage est inconnu.", where, known))
        elif name == END and not _is_end(value):
            what = "un mois et un jour sont attendus, de 01-01 à 07-31."
            problems.append(Problem(what, where, "Écrivez-les comme 06-30."))
        elif name != END and (number is None or not 0 <= number <= LONGEST):
            what = f"un nombre de jours est attendu, de 0 (jamais) à {LONGEST}."
            problems.append(Problem(what, where, "Corrigez-le."))
        else:
            read[name] = value if name == END else number
    if problems:
        raise InvalidInput(problems)
    return Rules(**read)


def _is_end(value: object) -> bool:
    """Tell whether a day ends every school year: which opens in August, and may have no leap."""
    try:
        day = date.fromisoformat(f"2027-{value}")
    except ValueError:
        return False
    return day < date(2027, 8, 1) and f"{day:%m-%d}" == value


def raise_due(today: date) -> list[Reminder]:
    """Tell what is due and was never told; give what was told now.

    What goes wrong with one school is raised once the others have been told.

    Raises:
        InvalidInput: for settings that do not hold together.
    """
    rules = read_rules(settings.DATA)
    told = set(Reminder.objects.values_list("school_id", "kind", "subject"))
    new, fault = [], None
    for each in reminding.due(_facts(), today, rules):
        if (each.school, each.kind, each.subject) in told:
            continue
        try:
            row = _raise(each, rules)
        except Exception as error:
            fault = fault or error
        else:
            new += [row] if row else []
    if fault:
        raise fault
    return new


def _raise(each: Due, rules: Rules) -> Reminder | None:
    """Tell a reminder, unless somebody else just did: the database keeps one."""
    rows = Attestation.objects.filter(school=each.school, rank=each.rank)
    attestation = rows.select_related("original").first()
    counts = {"pupils": each.pupils, "teachers": each.teachers}
    if attestation:
        counts = {"number": attestation.number}
    with transaction.atomic():
        row, is_new = Reminder.objects.get_or_create(
            school_id=each.school,
            kind=each.kind,
            subject=each.subject,
            defaults={"attestation": attestation, "due_date": each.due_date, "counts": counts},
        )
        if not is_new:
            return None
        school = School.objects.get(pk=each.school)
        told = words.of_reminder(_late(each, rules, school, attestation))
        # Whoever could guess the key of a mail could send it back to us.
        mail = messages.write(Message.Kind.REMINDER, f"reminder:{uuid4()}", school, told)
        about: dict[str, Any] = {**counts, "late": each.kind, "mails": int(mail is not None)}
        tell("reminder-raised", str(row.pk), school=each.school, **about)
    return row


def _late(each: Due, rules: Rules, school: School, attestation: Attestation | None) -> words.Late:
    box = departures.post().imap
    told: dict[str, Any] = {"since": each.since, "last_day": rules.last_day(each.school_year)}
    if attestation:
        is_print = each.kind == "not-returned"
        original = getattr(attestation, "original", None)
        told = {
            "number": attestation.number,
            "period": Period(attestation.start_date, attestation.end_date),
            "reference": attestation.references.get("attestation-cession", ""),
            "since": date.fromisoformat(attestation.record["issued_date"])
            if is_print
            else each.since,
            "posted_date": original.posted_date if original else None,
        }
    return words.Late(
        kind=each.kind,
        uai=school.uai,
        school=school.name,
        school_year=each.school_year,
        region=read_region(None, data_folder()),
        pupils=each.pupils,
        teachers=each.teachers,
        scans_to=box.user if box and not address_fault(box.user) else "",
        **told,
    )


def _facts() -> Iterator[Facts]:
    sheets: dict[str, list[Sheet]] = defaultdict(list)
    waiting: dict[str, list[Waiting]] = defaultdict(list)
    for school, sheet in _sheets():
        sheets[school].append(sheet)
    for school, each in _waiting():
        waiting[school].append(each)
    for school in sorted(sheets.keys() | waiting.keys()):
        yield Facts(school, tuple(sheets[school]), tuple(waiting[school]))


def _sheets() -> Iterator[tuple[str, Sheet]]:
    first_sent = ledger.sendings().order_by("sent_at").values("sent_at")[:1]
    rows = Attestation.objects.exclude(state=State.CANCELLED).annotate(
        is_back=ledger.is_returned(), mailed_at=first_sent
    )
    columns = ("school_id", "rank", "school_year", "state", "finished_at", "is_back", "mailed_at")
    journey = ("original__fetched_at", "original__received_at")
    for school, rank, year, state, ready_at, is_back, mailed_at, *steps in rows.values_list(
        *columns, *journey
    ):
        printed_at = steps[0] or (ready_at if state == State.DONE else None)
        days = _local(printed_at), is_back, _local(mailed_at), steps[1] is not None
        yield school, Sheet(rank, year, *days)


def _waiting() -> Iterator[tuple[str, Waiting]]:
    dated = Cession.objects.filter(cancelled_at=None, ceded_date__isnull=False)
    rows = ledger.unattested(dated).values("school_id", "ceded_date")
    of = Q(person__audience="pupil")
    counted = rows.annotate(pupils=Count("pk", filter=of), teachers=Count("pk", filter=~of))
    columns: list[Any] = ["school_id", "ceded_date", "pupils", "teachers"]
    for school, *facts in counted.order_by("school_id", "ceded_date").values_list(*columns):
        yield school, Waiting(*facts)


def _local(at: datetime | None) -> date | None:
    """Give the day that a moment is on where the schools are, in summer and in winter."""
    return timezone.localdate(at) if at else None
