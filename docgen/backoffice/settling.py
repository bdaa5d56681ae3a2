"""A batch whose sides are all read: each gets its one outcome, and its document has it."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import msgspec
from django.db.models.functions import Now

from docgen.backoffice import bulk, returns
from docgen.backoffice.events import tell
from docgen.backoffice.models import Return, ScanBatch, ScannedPage, ScanPart
from docgen.scanning.findings import Reading
from docgen.scanning.sorting import Outcome, Sorted, sort

IN_A_DOCUMENT = (Outcome.KNOWN, Outcome.DUPLICATE)
BY_HAND = float("inf")  # what somebody filed stays where it is
CLOSED = "closed"  # why a scan of a document whose signed file stays as it is, is a duplicate
Place: TypeAlias = tuple[str, int]


class Held(NamedTuple):
    """The side of a scan that is home already."""

    page: int
    quality: float


def settle(batch: ScanBatch) -> None:
    """Sort the sides of a batch, all at once; call it in a transaction that holds its row."""
    read = [
        (part, msgspec.convert(each, Reading))
        for part in ScanPart.objects.filter(batch=batch).order_by("first")
        for each in part.readings
    ]
    readings = [reading for _, reading in read]
    wanted = returns.expected({code.document for each in readings for code in each.codes})
    school = batch.school_id or ""
    first = sort(readings, wanted, {}, school)
    backs = returns.awaited({each.document for each in first if each.outcome in IN_A_DOCUMENT})
    closed = returns.closed(backs.values())
    held = _held(backs, closed)
    found = sort(readings, wanted, {place: each.quality for place, each in held.items()}, school)
    came = {(each.document, each.side) for each in found if each.outcome is Outcome.KNOWN}
    replaced = [held[place].page for place in came & held.keys()]
    for chunk in bulk.chunks(replaced):
        pages = ScannedPage.objects.filter(pk__in=chunk)
        pages.update(outcome=Outcome.DUPLICATE, reason="better-came")
    bulk.insert(list(_pages(batch, read, found, backs, closed)))
    again = {each.document for each in found if _may_be_signed(each, backs)}
    again -= {document for document, row in backs.items() if row.pk in closed}
    returns.gather({backs[document].pk for document in again | {each for each, _ in came}})
    ScanPart.objects.filter(batch=batch).update(readings=[])  # each side has its own from now on
    batch.stage = ScanBatch.Stage.READ
    ScanBatch.objects.filter(pk=batch.pk).update(stage=batch.stage, read_at=Now())
    counts: dict[str, Any] = Counter(str(each.outcome) for each in found)
    tell("scan-read", str(batch.pk), school=school, sides=len(found), **counts)


def _may_be_signed(each: Sorted, backs: Mapping[str, Return]) -> bool:
    """Tell whether another scan of a side may bear the signature that a document lacks."""
    if each.outcome is not Outcome.DUPLICATE:
        return False
    row = backs[each.document]
    is_looked_at = row.stage != Return.Stage.COMPLETE  # else it is about to be
    return not is_looked_at or each.side in {zone["side"] for zone in row.unsigned}


def _held(backs: Mapping[str, Return], closed: Container[UUID]) -> dict[Place, Held]:
    """Give the sides that are home already of these documents, whose rows are held."""
    numbers = {row.pk: number for number, row in backs.items()}
    found: dict[Place, Held] = {}
    for chunk in bulk.chunks(list(numbers)):
        pages = ScannedPage.objects.filter(back__in=chunk, outcome=Outcome.KNOWN)
        facts = pages.values_list("back_id", "side", "pk", "quality", "is_by_hand")
        for back, side, page, quality, is_by_hand in facts:
            found[numbers[back], side or 0] = Held(page, BY_HAND if is_by_hand else quality)
    for number, row in backs.items():
        if row.pk in closed:
            found |= {(number, side): Held(0, BY_HAND) for side in range(1, row.sides + 1)}
    return found


def _pages(
    batch: ScanBatch,
    readings: Iterable[tuple[ScanPart, Reading]],
    found: Iterable[Sorted],
    backs: Mapping[str, Return],
    closed: Container[UUID],
) -> Iterator[ScannedPage]:
    by_index = {reading.index: (part, reading) for part, reading in readings}
    for each in found:
        part, reading = by_index[each.index]
        back = backs[each.document] if each.outcome in IN_A_DOCUMENT else None
        yield ScannedPage(
            batch=batch,
            index=each.index,
            part=part,
            outcome=each.outcome,
            reason=CLOSED if back and back.pk in closed else each.reason,
            reading=msgspec.to_builtins(reading),
            quality=reading.quality,
            back=back,
            side=each.side if back else None,
        )
