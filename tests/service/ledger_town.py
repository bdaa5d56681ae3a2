"""Schools with a past, in bulk: every state that a cession and an attestation can be in.

Each school lives through rounds of handing over, typing late, correcting and attesting, by rules
told here a second time; its rows are then written at once. The same seed makes the same past.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from docgen.backoffice import bulk
from docgen.backoffice.models import (
    Attestation,
    AttestedCession,
    Cession,
    Delivery,
    Original,
    Paper,
    Person,
    Return,
    School,
)

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
# Both ends included; July and August are days on the two sides of a school year.
ROUNDS = (
    (date(2025, 8, 1), date(2025, 10, 31)),
    (date(2025, 11, 1), date(2026, 3, 31)),
    (date(2026, 4, 1), date(2026, 7, 31)),
    (date(2026, 8, 1), date(2026, 10, 31)),
)
YEARS = ("2025-2026", "2026-2027")
SLUG = "attestation-cession"


@dataclass
class Held:
    """A cession, as a register keeps it; `person` is a place in the people of the school."""

    person: int
    serial: str
    day: date | None
    is_cancelled: bool = False


@dataclass
class Issued:
    """An attestation: the keys that it lists and takes off."""

    rank: int
    number: int
    year: str
    end: date
    rows: list[tuple[str, str]]
    withdrawn: list[tuple[str, str]]


@dataclass
class Past:
    """What a school lived through."""

    uai: str
    people: list[tuple[str, str, str]]
    cessions: list[Held] = field(default_factory=list)
    attestations: list[Issued] = field(default_factory=list)
    attested: dict[tuple[str, str], int] = field(default_factory=dict)
    taken_off: list[tuple[tuple[str, str], int, int]] = field(default_factory=list)

    def key(self, row: Held) -> tuple[str, str]:
        return row.serial, self.people[row.person][1]

    def register(self) -> list[Held]:
        return [row for row in self.cessions if not row.is_cancelled]


def lived(uai: str, count: int, rng: random.Random) -> Past:
    """Make the past of a school that cedes about so many tablets."""
    kinds = [rng.choice(("pupil", "pupil", "pupil", "teacher")) for _ in range(count)]
    enrolled = [rng.choice((*YEARS, "")) for _ in range(count)]
    people = [(kind, f"{kind[0]}{n}", enrolled[n]) for n, kind in enumerate(kinds)]
    past = Past(uai, people)
    each = -(-count // len(ROUNDS))
    for turn, (start, end) in enumerate(ROUNDS):
        for person in range(turn * each, min((turn + 1) * each, count)):
            _cede(past, person, f"S{person:05}", _day(rng, start, end, turn))
        for row in past.register():
            _correct(past, row, rng)
        if rng.random() < 0.7:
            _issue(past, start, rng.choice((end, start + (end - start) / 2)))
    return past


def _day(rng: random.Random, start: date, end: date, turn: int) -> date | None:
    chance = rng.random()
    if chance < 0.1:
        return None
    if chance < 0.2 and turn:  # typed late: of a period that is over
        start, end = ROUNDS[turn - 1]
    return rng.choice((start, end, start + timedelta(rng.randrange((end - start).days + 1))))


def _cede(past: Past, person: int, serial: str, day: date | None) -> None:
    past.cessions.append(Held(person, serial, day))


def _correct(past: Past, row: Held, rng: random.Random) -> None:
    """Cancel, give to somebody else, give back to the same, change the tablet or the day."""
    chance = rng.random()
    if chance > 0.16:
        if chance > 0.97 and row.day:
            row.day = rng.choice((date(2026, 7, 31), date(2026, 8, 1)))
        return
    row.is_cancelled = True
    if chance < 0.04:
        return
    if chance < 0.08:
        _cede(past, rng.randrange(len(past.people)), row.serial, row.day)
    elif chance < 0.12:
        _cede(past, row.person, row.serial, rng.choice((row.day, None, date(2026, 8, 1))))
    else:
        _cede(past, row.person, f"{row.serial}R{len(past.cessions)}", row.day)


def _issue(past: Past, start: date, end: date) -> None:
    register = {past.key(row): row for row in past.register()}
    gone = [key for key in past.attested if key not in register]
    ready = (key for key, row in register.items() if row.day and row.day <= end)
    rows = [key for key in ready if key not in past.attested]
    if not rows and not gone:
        return
    rank, first = len(past.attestations) + 1, end.year - (end.month < 8)
    year = f"{first}-{first + 1}"
    number = sum(each.year == year for each in past.attestations) + 1
    past.attestations.append(Issued(rank, number, year, end, rows, gone))
    past.taken_off += [(key, past.attested.pop(key), rank) for key in gone]
    past.attested |= dict.fromkeys(rows, rank)


def fill(schools: int, cessions: int, seed: int) -> None:
    """Write schools with a past into the tables, each of about so many cessions."""
    rng = random.Random(seed)  # noqa: S311 - a made-up past
    pasts = [lived(f"{n:07}X", rng.randint(cessions // 2, cessions), rng) for n in range(schools)]
    places = {"name": "=Lycée", "postal_code": "13200", "city": "Arles", "changed_at": AT}
    School.objects.bulk_create(School(uai=uai, **places) for uai in ("0999999Z",))
    School.objects.bulk_create(School(uai=past.uai, **places) for past in pasts)
    _write_people(pasts)
    _write_attestations(pasts)
    _write_journeys(rng)


def _write_people(pasts: list[Past]) -> None:
    names = {"family_name": "ESSAI", "first_name": "Ana"}
    bulk.insert(
        [
            Person(school_id=past.uai, audience=kind, internal_id=own, school_year=year, **names)
            for past in pasts
            for kind, own, year in past.people
        ]
    )
    found = Person.objects.values_list("school_id", "internal_id", "pk")
    ids = {(school, own): pk for school, own, pk in found}
    bulk.insert(
        [
            Cession(
                school_id=past.uai,
                person_id=ids[past.uai, past.people[row.person][1]],
                serial=row.serial,
                ceded_date=row.day,
                cancelled_at=AT if row.is_cancelled else None,
            )
            for past in pasts
            for row in past.cessions
        ]
    )


def _write_attestations(pasts: list[Past]) -> None:
    empty: dict[str, Any] = {"region": {}, "letterhead": {}, "requested_by": "test"}
    bulk.insert(
        [
            Attestation(
                school_id=past.uai,
                rank=each.rank,
                number=each.number,
                school_year=each.year,
                start_date=each.end,
                end_date=each.end,
                record={"rows": _told(each.rows), "withdrawn": _told(each.withdrawn)},
                **empty,
            )
            for past in pasts
            for each in past.attestations
        ]
    )
    found = Attestation.objects.values_list("school_id", "rank", "pk")
    ids = {(school, rank): pk for school, rank, pk in found}
    kept = [(p.uai, key, rank, 0) for p in pasts for key, rank in p.attested.items()]
    off = [(p.uai, key, rank, by) for p in pasts for key, rank, by in p.taken_off]
    bulk.insert(
        [
            AttestedCession(
                attestation_id=ids[school, rank],
                school_id=school,
                serial=serial,
                person=person,
                withdrawn_by_id=ids[school, by] if by else None,
            )
            for school, (serial, person), rank, by in kept + off
        ]
    )


def _told(keys: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"serial": serial, "person_id": person} for serial, person in keys]


def _write_journeys(rng: random.Random) -> None:
    """Bring papers home, mails away and originals to the region: each step, or not, or badly."""
    papers, backs, deliveries, originals = [], [], [], []
    for row in Attestation.objects.order_by("pk"):
        facts: dict[str, Any] = {"school_id": row.school_id, "attestation": row}
        for slug, is_mailed in ((SLUG, True), (SLUG, True), ("bordereau-envoi", False)):
            if rng.random() < 0.8:
                number = rng.randbytes(6)
                sizes = {"sides": 1, "width": 595.0, "height": 842.0, "created_at": AT}
                papers.append(
                    Paper(number=number, slug=slug, is_mailed=is_mailed, **facts, **sizes)
                )
        for version in range(1, rng.randint(1, 4)):
            deliveries += _deliveries(rng, version, facts)
        if rng.random() < 0.8:
            originals.append(
                Original(
                    **facts,
                    fetched_at=rng.choice((AT, AT, None)),
                    posted_date=rng.choice((AT.date(), None)),
                    received_at=rng.choice((AT, AT, None)),
                )
            )
    Paper.objects.bulk_create(papers)
    for paper in Paper.objects.order_by("pk"):
        if rng.random() < 0.8:
            backs.append(_back(rng, paper))
    Return.objects.bulk_create(backs)
    Delivery.objects.bulk_create(deliveries)
    Original.objects.bulk_create(originals)


def _back(rng: random.Random, paper: Paper) -> Return:
    zone = [{"side": 1, "zone": "chef"}]
    return Return(
        number=paper.number,
        school_id=paper.school_id,
        paper=paper,
        sides=1,
        stage=rng.choice(("bound", "bound", "bound", "complete", "partial", "empty")),
        unsigned=rng.choice(([], [], [], zone)),
        unseen=rng.choice(([], [], [], zone)),
    )


def _deliveries(rng: random.Random, version: int, facts: dict[str, Any]) -> list[Delivery]:
    """Deliver a version: to the region and to the school, or both for a test alone."""
    is_test = rng.random() < 0.2
    stages = ("sent", "sent", "refused", "uncertain", "replaced", "held", "new")
    found = []
    for role in ("region", "copy"):
        stage = rng.choice(stages)
        sent_at = AT if stage in ("sent", "refused") else None
        bounced_at = rng.choice((None, None, None, AT - timedelta(1), AT + timedelta(1)))
        who = {"role": role, "recipient": f"{role}@example.org", "is_test": is_test}
        when = {"sent_at": sent_at, "bounced_at": bounced_at if sent_at else None}
        found.append(Delivery(version=version, stage=stage, **facts, **who, **when))
    return found
