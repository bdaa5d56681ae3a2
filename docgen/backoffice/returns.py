"""Documents that come home: what is expected of each, which sides it has, what is to bind.

Whoever changes which sides a document has holds its row first (`awaited`): rows are locked in the
order of their numbers, so that two batches sorted at once wait for one another and never cross.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from docgen.backoffice import bulk, queue, shelf, store
from docgen.backoffice.models import (
    Binding,
    Document,
    Paper,
    PrintJob,
    Return,
    ScannedPage,
    State,
    TemplateVersion,
)
from docgen.backoffice.print_jobs import DUPLICATA
from docgen.rendering.imposition import impose, sides_needed, zones_on_sides
from docgen.scanning.sorting import Expected

TOGETHER = 50  # documents bound as one piece of work
CHANGED = (*("missing", "stage", "version", "changed_at", "sha256", "size", "sources", "bound_at"),)
# What a younger job printed replaces what is older, unless it printed nothing.
PRINTED_NOTHING = (PrintJob.Stage.CANCELLED, PrintJob.Stage.FAILED)
Printed: TypeAlias = Document | Paper
Standing: TypeAlias = Literal["current", "superseded", "cancelled"]


class Kin(NamedTuple):
    """What two prints of the same document share, whatever they say."""

    school: str
    slug: str
    year: str
    person: str
    mark: str


class Order(NamedTuple):
    """What papers that replace one another share: what ordered them, and for whom."""

    attestation_id: int | None
    conversion_id: int | None
    slug: str
    person: str


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone that somebody signs, on a side from 1.

    `box` is its left, bottom, width and height, in points from the bottom left of the side.
    """

    name: str
    label: str
    side: int
    box: tuple[float, float, float, float]
    required: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """What must come home of a document: its sides, those that paper alone may give, its zones."""

    title: str
    sides: int
    width: float
    height: float
    needed: tuple[int, ...]
    zones: tuple[Zone, ...]


def printed(numbers: Iterable[str]) -> dict[str, Printed]:
    """Give the row that tells each number, in hexadecimal: of the youngest job that printed it."""
    found: dict[str, Printed] = {}
    for chunk in bulk.chunks(sorted(set(numbers))):
        wanted = [bytes.fromhex(each) for each in chunk]
        papers = Paper.objects.filter(number__in=wanted).select_related("attestation")
        found |= {bytes(row.number).hex(): row for row in papers}
        rows = Document.objects.filter(number__in=wanted).select_related("volume__job__template")
        rows = rows.defer("values", "volume__job__profile", "volume__job__template__archive")
        found |= {bytes(row.number).hex(): row for row in sorted(rows, key=_age)}
    return found


def expected(numbers: Iterable[str]) -> dict[str, Expected]:
    """Give what is expected of the documents of these numbers, in hexadecimal, of any school."""
    rows = printed(numbers)
    documents = [row for row in rows.values() if isinstance(row, Document)]
    stands = _numbers_that_stand(documents)
    made = _last_made(row for row in rows.values() if isinstance(row, Paper))
    found = {}
    for number, row in rows.items():
        found[number] = Expected(
            document=number,
            school=school_of(row),
            reference=row.reference,
            sides=_sides_of(row),
            state=_state_of_paper(row, made)
            if isinstance(row, Paper)
            else _state_of_document(row, stands),
        )
    return found


def school_of(row: Printed) -> str:
    """Give the UAI of the school that a document is of."""
    return row.school_id if isinstance(row, Paper) else row.volume.job.school_id


def rule(row: Printed) -> Rule:
    """Give what must come home of a document."""
    if isinstance(row, Document):
        job = row.volume.job
        return _rule_of_layout(job.template_id, job.layout, row.variant)
    zones = tuple(Zone(**{**each, "box": tuple(each["box"])}) for each in row.zones)
    return Rule(row.title, row.sides, row.width, row.height, tuple(row.needed), zones)


def awaited(numbers: Iterable[str]) -> dict[str, Return]:
    """Hold the returns of documents until the transaction ends; make those that are not there."""
    wanted = [bytes.fromhex(each) for each in sorted(set(numbers))]
    there = set[bytes]()
    for chunk in bulk.chunks(wanted):
        rows = Return.objects.filter(number__in=chunk)
        there |= {bytes(number) for number in rows.values_list("number", flat=True)}
    new = [number.hex() for number in wanted if number not in there]
    told = printed(new)
    # Two who make the same rows at once wait for one another in the order of the numbers. All are
    # made before any is held: who waits for a row to be made holds none that another waits for.
    Return.objects.bulk_create(
        (_new(told[each]) for each in new), ignore_conflicts=True, batch_size=bulk.ROWS
    )
    found: dict[str, Return] = {}
    for chunk in bulk.chunks(wanted):
        held = Return.objects.filter(number__in=chunk).select_for_update().order_by("number")
        found |= {bytes(row.number).hex(): row for row in held}
    return found


def closed(rows: Iterable[Return]) -> set[UUID]:
    """Tell which documents have a signed file that could not be bound again from what is kept.

    Their scans went before them: whatever comes or is decided, such a file stays as it is.
    """
    wanted = {
        row.pk: {each["side"] for each in row.sources if each["origin"] == "scan"}
        for row in rows
        if row.stage == Return.Stage.BOUND
    }
    for chunk in bulk.chunks(list(wanted)):
        pages = ScannedPage.objects.filter(back__in=chunk, outcome=ScannedPage.Outcome.KNOWN)
        for back, side in pages.exclude(part__copy="").values_list("back_id", "side"):
            wanted[back].discard(side or 0)
    return {row for row, gone in wanted.items() if gone}


def gather(ids: Iterable[UUID]) -> None:
    """Look again at which sides documents have, and have them bound; call it in a transaction.

    It holds their rows; who changed their sides held them before.
    """
    numbers: list[bytes | memoryview] = []
    for chunk in bulk.chunks(list(ids)):
        numbers += Return.objects.filter(pk__in=chunk).values_list("number", flat=True)
    changed = list(awaited(bytes(number).hex() for number in numbers).values())
    sides, unused = _sides(changed), set[str]()
    for row in changed:
        row.missing = sorted(set(row.needed) - sides[row.pk])
        row.stage = Return.Stage.PARTIAL if row.missing else Return.Stage.COMPLETE
        if not sides[row.pk]:
            row.stage = Return.Stage.EMPTY
        row.version += 1
        if row.stage != Return.Stage.COMPLETE:  # a side was taken out of it: it is signed no more
            unused.add(row.sha256)
            row.sha256, row.size, row.sources, row.bound_at = "", 0, [], None
        row.save(update_fields=CHANGED)
    _bind(changed)
    transaction.on_commit(lambda: store.drop_unused(unused - {""}))


def _bind(rows: Iterable[Return]) -> None:
    """Order the binding of documents, school by school."""
    by_school: dict[str, list[Return]] = {}
    for row in rows:
        by_school.setdefault(row.school_id, []).append(row)
    made = [
        Binding.objects.create(
            school_id=school, returns=[[str(row.pk), row.version] for row in chunk]
        )
        for school, group in sorted(by_school.items())
        for chunk in bulk.chunks(group, TOGETHER)
    ]
    if made:
        transaction.on_commit(lambda: queue.ring(queue.BIND, [each.pk for each in made]))


def _sides(rows: Sequence[Return]) -> dict[UUID, set[int]]:
    """Give the sides that documents have."""
    found: dict[UUID, set[int]] = {row.pk: set() for row in rows}
    for chunk in bulk.chunks(list(found)):
        pages = ScannedPage.objects.filter(back__in=chunk, outcome=ScannedPage.Outcome.KNOWN)
        for back, side in pages.values_list("back_id", "side"):
            found[back].add(side or 0)
    return found


def _new(row: Printed) -> Return:
    """Give the return of a document, not kept yet."""
    wanted = rule(row)
    if isinstance(row, Document):
        job = row.volume.job
        facts = {"school_id": job.school_id, "slug": job.template.slug, "document": row}
        facts["division"] = row.division
    else:
        facts = {"school_id": row.school_id, "slug": row.slug, "paper": row}
    return Return(
        number=row.number,
        reference=row.reference,
        person=row.person,
        title=wanted.title,
        sides=wanted.sides,
        needed=list(wanted.needed),
        missing=list(wanted.needed),
        **facts,
    )


@lru_cache(maxsize=64)
def _rule_of_layout(template: int, name: str, variant: str) -> Rule:
    row = TemplateVersion.objects.get(pk=template)
    manifest = shelf.template(row).manifest
    layout = manifest.layout(name)
    form = shelf.form(row, layout)
    imposition = impose(form, layout, manifest.codes)
    told = {each.name: each for each in manifest.signatures}
    stands = zones_on_sides(form, imposition, variant)
    zones = tuple(
        Zone(
            *(zone.name, told[zone.name].label, zone.side),
            (zone.x, zone.y, zone.width, zone.height),
            told[zone.name].required,
        )
        for zone in stands
    )
    sides = len(imposition.sides)
    needed = sides_needed(manifest, sides, stands)
    size = imposition.width, imposition.height
    return Rule(manifest.title[:200], sides, *size, tuple(needed), zones)


def _sides_of(row: Printed) -> int:
    if isinstance(row, Paper):
        return row.sides
    return row.volume.job.sides // row.volume.job.documents


def _age(row: Document) -> tuple[bool, datetime, int]:
    """Sort prints of a document: those of nothing first, then the older."""
    job = row.volume.job
    return job.stage not in PRINTED_NOTHING, job.created_at, row.pk


def _kin(row: Document) -> Kin:
    job = row.volume.job
    mark = "" if row.mark == DUPLICATA else row.mark.removesuffix(f", {DUPLICATA.lower()}")
    return Kin(job.school_id, job.template.slug, job.school_year, row.person, mark)


def _numbers_that_stand(rows: Iterable[Document]) -> dict[Kin, bytes]:
    """Give the number that was printed last for each document, whatever it says."""
    groups: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        kin = _kin(row)
        groups.setdefault(kin[:3], set()).add(kin.person)
    found: dict[Kin, Document] = {}
    for (school, slug, year), people in groups.items():
        for chunk in bulk.chunks(sorted(people - {""})):
            prints = Document.objects.filter(
                volume__job__school=school,
                volume__job__template__slug=slug,
                volume__job__school_year=year,
                person__in=chunk,
            )
            prints = prints.select_related("volume__job__template").only(
                *("number", "person", "mark", "volume__job__stage", "volume__job__created_at"),
                *("volume__job__school", "volume__job__school_year", "volume__job__template__slug"),
            )
            found |= {_kin(row): row for row in sorted(prints, key=_age)}
    return {kin: bytes(row.number) for kin, row in found.items()}


def _state_of_document(row: Document, stands: dict[Kin, bytes]) -> Standing:
    if row.volume.job.stage == PrintJob.Stage.CANCELLED:
        return "cancelled"
    return "current" if stands[_kin(row)] == bytes(row.number) else "superseded"


def _state_of_paper(row: Paper, made: dict[Order, datetime]) -> Standing:
    """Say whether papers of the same order were made again, with another number."""
    if row.attestation and row.attestation.state == State.CANCELLED:
        return "cancelled"
    return "superseded" if made.get(_order(row), row.created_at) > row.created_at else "current"


def _order(row: Paper) -> Order:
    return Order(row.attestation_id, row.conversion_id, row.slug, row.person)


def _last_made(rows: Iterable[Paper]) -> dict[Order, datetime]:
    """Give when the papers of each order were last made."""
    orders = {_order(row) for row in rows}
    found: dict[Order, datetime] = {}
    for name in ("attestation_id", "conversion_id"):
        wanted = sorted({getattr(order, name) for order in orders} - {None})
        for chunk in bulk.chunks(wanted):
            papers = Paper.objects.filter(**{f"{name}__in": chunk}).values_list(*Order._fields)
            found |= {
                Order(*order): last for *order, last in papers.annotate(last=Max("created_at"))
            }
    return found
