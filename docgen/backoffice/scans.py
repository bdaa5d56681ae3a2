"""Files of scans: received once, read by parts in children, sorted when the last part is read.

The file as it was sent is a stranger's: it is kept apart and served to nobody. What is shown comes
from the clean copies that readers wrote.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count

from docgen.backoffice import claims, queue, returns, settling, store
from docgen.backoffice.events import tell
from docgen.backoffice.models import (
    Binding,
    Return,
    ScanBatch,
    ScannedPage,
    ScanPart,
    School,
    State,
)
from docgen.errors import Problem, ScanRejected
from docgen.scanning.sorting import REASONS, Outcome

PART = 25  # sides read together: what is lost, or done again, when a reader dies
LIGHT = 20 << 20  # bytes: a few sides, for which somebody waits, are read before a pile
URGENT, PILE = 3, 5  # priorities
MOST_SKIPS = 3  # of sides of a part that put an end to who read them; then the rest is given up
FAR = PART // 3  # sides; a reader that is out of time later is slow, and no side is at fault
HEAVY = "too-heavy"
TOO_HEAVY = Problem(
    "ce fichier demande trop de mémoire ou de temps pour être ouvert.",
    "",
    "Numérisez de nouveau, à 200 points par pouce.",
)
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # what shows as nothing, or turns the reading
HEIC = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"heif")
# Outcomes whose codes name documents of ours; what is foreign tells nothing of another school's.
OF_OUR_DOCUMENTS = (Outcome.SUPERSEDED, Outcome.INCONSISTENT)
Facts: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader is to do: sides of a file, from one to another, without those that kill."""

    sha256: str
    first: int
    last: int | None
    skipped: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is: its sides (None until it was opened), and those that were read.

    `outcomes` counts them by outcome, once they are all read. `is_stopped`: a part, or the binding
    of its documents, was set aside, and waits for somebody to look at it.
    """

    stage: str
    sides: int | None
    done: int
    outcomes: dict[str, int]
    is_stopped: bool
    problems: list[list[str]]


@dataclass(frozen=True, slots=True)
class Side:
    """A side of a batch, counted from 1: its outcome, why, and what to do about it.

    `reference` and `side` say of which document it is, `document` the return that it is in.
    """

    id: UUID
    number: int
    outcome: str
    reason: str
    words: str
    reference: str
    side: int | None
    document: UUID | None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a batch, side by side, and of the documents that it brought home."""

    progress: Progress
    sides: list[Side]
    documents: list[Return]


def receive(
    path: Path, school: School | None, label: str, source: str, by: str
) -> tuple[ScanBatch, bool]:
    """Take a file of scans in; tell whether it is new: the same file of a school is one batch.

    `school` is None for a pile of several schools; `label` is the name that its sender gave it.

    Raises:
        ScanRejected: for a file that is empty, too long, or of no kind that is read.
    """
    size = _looked_at(path)
    sha256 = store.digest(path)
    known = ScanBatch.objects.filter(school=school, sha256=sha256).first()
    if known:
        return known, False
    store.keep(path)
    batch = ScanBatch(
        school=school,
        sha256=sha256,
        size=size,
        label=shown(label),
        source=source,
        requested_by=by,
    )
    try:
        with transaction.atomic():
            store.require((sha256,))
            batch.save(force_insert=True)
            priority = URGENT if size <= LIGHT else PILE
            part = ScanPart.objects.create(batch=batch, first=0, priority=priority)
            uai = school.pk if school else ""
            tell("scan-received", str(batch.pk), school=uai, actor=by, size=size)
            transaction.on_commit(lambda: queue.ring(queue.READ, [part.pk]))
    except IntegrityError:  # somebody else has just sent it
        return ScanBatch.objects.get(school=school, sha256=sha256), False
    return batch, True


def shown(label: str) -> str:
    """Give the name of a sender's file as it may be shown, and never used for anything else."""
    last = label.replace("\\", "/").rpartition("/")[2]
    plain = (" " if unicodedata.category(each) in HIDDEN else each for each in last)
    text = " ".join(unicodedata.normalize("NFC", "".join(plain)).split())
    longest = 100  # characters: the column's
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _looked_at(path: Path) -> int:
    """Look at the size and the first bytes of a file; readers look at the rest, in children."""
    size = path.stat().st_size
    if not size:
        raise ScanRejected(Problem("ce fichier est vide.", "", "Numérisez de nouveau."))
    if size > settings.SCAN_MOST:
        what = f"ce fichier dépasse {settings.SCAN_MOST >> 20}\u00a0Mo."
        raise ScanRejected(Problem(what, "", "Envoyez la pile en plusieurs fichiers."))
    with path.open("rb") as stream:
        head = stream.read(16)
    known = head.startswith((b"%PDF-", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*"))
    if not known and not (head[4:8] == b"ftyp" and head[8:12] in HEIC):
        what = "ce n’est pas un fichier de scans que docgen lit."
        remedy = "Envoyez du PDF, du TIFF, du JPEG, du PNG ou du HEIC, tel que le scanner l’écrit."
        raise ScanRejected(Problem(what, "", remedy))
    return size


def begin(part: ScanPart) -> Wanted:
    """Give what a reader is to do."""
    sha256 = ScanBatch.objects.values_list("sha256", flat=True).get(pk=part.batch_id)
    return Wanted(sha256, part.first, part.last, tuple(part.skipped))


def finish(part: ScanPart, facts: Facts, names: Mapping[str, str]) -> bool:
    """Record a part that was read; False when the claim was lost.

    `facts` are the kind of the file, its sides, where the part ends, and its readings; `names`
    those of its copy and previews in the store. The first part makes the others, and the last one
    to be read has the batch sorted.

    Raises:
        FileNotFoundError: when one of the files was dropped since it was kept.
    """
    with transaction.atomic():
        store.require(filter(None, names.values()))
        batch = _locked(part)
        read = {"readings": facts["readings"], "last": facts["last"], **names}
        if not claims.finish(part, done=len(facts["readings"]), problems=[], **read):
            return False
        if batch.sides is None:
            _open(batch, part, facts)
        if not _left(batch):
            settling.settle(batch)
    return True


def fail(part: ScanPart, problems: list[Problem]) -> bool:
    """Record that a file cannot be opened; False when the claim was lost."""
    return _give_up(part, problems, "unreadable")


def skip(part: ScanPart, side: int | None, *, is_slow: bool = False) -> bool:
    """Put a part whose reader died back in the line, without the side that it was reading.

    `side` counts from 0 in the file; None when the reader died before it came to any. After some
    skips the rest of the part is given up, so that a batch always ends. With `is_slow`, a reader
    that had come far enough died of them all: the part is cut there, and no side is lost.
    """
    skipped, last = set(part.skipped), part.last or part.first + PART
    if side is None or side in skipped:  # it is the file that kills, or the writing of its copy
        if part.deaths + 1 < claims.MOST_DEATHS:
            return claims.release(part, is_own_fault=True)
        return _give_up(part, [TOO_HEAVY], HEAVY)
    if is_slow and len(set(range(part.first, side)) - skipped) >= FAR:
        return _cut(part, side)
    skipped |= {side} if len(skipped) < MOST_SKIPS else set(range(side, last))
    return claims.again(part, skipped=sorted(skipped))


def _cut(part: ScanPart, side: int) -> bool:
    with transaction.atomic():
        batch = _locked(part)
        if not claims.again(part, last=side):
            return False
        if batch.sides is not None:  # else those that follow are made when the file is opened
            facts = {"batch": batch, "priority": part.priority, "skipped": part.skipped}
            ScanPart.objects.create(first=side, last=part.last, **facts)
    return True


def _give_up(part: ScanPart, problems: list[Problem], reason: str) -> bool:
    """Refuse a file that was never opened; of one that was, the sides of the part are lost."""
    with transaction.atomic():
        batch = _locked(part)
        if batch.sides is not None and part.last is not None:
            side = {"width": 0, "height": 0, "dpi": 0.0, "verdict": "unreadable", "reason": reason}
            lost = [{"index": index, **side} for index in range(part.first, part.last)]
            facts = {"readings": lost, "last": part.last}
            return finish(part, facts, {"copy": "", "previews": ""})
        if not claims.fail(part, problems, done=0):
            return False
        batch.stage, batch.problems = ScanBatch.Stage.REFUSED, claims.as_lists(problems)
        batch.save(update_fields=("stage", "problems"))
        tell("scan-refused", str(batch.pk), school=batch.school_id or "", problems=len(problems))
    return True


def retry(batch: ScanBatch, by: str) -> int:
    """Put the parts and the bindings that were set aside back in the line; give how many."""
    with transaction.atomic():
        parts = ScanPart.objects.filter(batch=batch, state=State.QUARANTINED)
        again = [part.pk for part in parts if claims.try_again(part)]
        bound = [each.pk for each in _stopped(batch) if claims.try_again(each)]
        count = len(again) + len(bound)
        if count:
            uai = batch.school_id or ""
            tell("scan-retried", str(batch.pk), school=uai, actor=by, parts=count)
            transaction.on_commit(lambda: queue.ring(queue.READ, again))
            transaction.on_commit(lambda: queue.ring(queue.BIND, bound))
    return count


def _stopped(batch: ScanBatch) -> list[Binding]:
    """Give the bindings that were set aside, of documents of a batch as they are now."""
    rows = list(Binding.objects.filter(state__in=(State.QUARANTINED, State.FAILED)))
    if not rows:
        return []
    here = ScannedPage.objects.filter(batch=batch).exclude(back=None).values("back")
    facts = Return.objects.filter(pk__in=here).values_list("pk", "version")
    mine = {(str(row), version) for row, version in facts}
    return [row for row in rows if any(tuple(each) in mine for each in row.returns)]


def progress(batch: ScanBatch) -> Progress:
    """Tell how far a batch is."""
    parts = list(ScanPart.objects.filter(batch=batch).values_list("state", "done"))
    done = sum(done for state, done in parts if state in (State.CLAIMED, State.DONE))
    stopped = any(state == State.QUARANTINED for state, _ in parts) or bool(_stopped(batch))
    rows = ScannedPage.objects.filter(batch=batch).values_list("outcome")
    outcomes = dict(rows.annotate(count=Count("pk")).order_by("outcome"))
    return Progress(batch.stage, batch.sides, done, outcomes, stopped, batch.problems)


def report(batch: ScanBatch) -> Report:
    """Tell what every side of a batch is, and how far the documents are that it touched."""
    rows = ScannedPage.objects.filter(batch=batch)
    pages = list(rows.select_related("back").defer("reading").order_by("index"))
    readings = rows.filter(outcome__in=OF_OUR_DOCUMENTS).values_list("pk", "reading")
    older = {
        page: sorted({code["document"] for code in reading["codes"]}) for page, reading in readings
    }
    told = returns.printed({number for numbers in older.values() for number in numbers})
    sides = []
    for page in pages:
        known = [told[number] for number in older.get(page.pk, ()) if number in told]
        known = [row for row in known if batch.school_id in (None, returns.school_of(row))]
        row = page.back or (known[0] if len(known) == 1 else None)
        sides.append(
            Side(
                *(page.public_id, page.index + 1, page.outcome, page.reason),
                REASONS.get(page.reason, ""),
                row.reference if row else "",
                page.side,
                page.back_id,
            )
        )
    backs = {page.back_id: page.back for page in pages if page.back}
    return Report(progress(batch), sides, sorted(backs.values(), key=lambda each: each.reference))


def _locked(part: ScanPart) -> ScanBatch:
    return ScanBatch.objects.select_for_update().get(pk=part.batch_id)


def _open(batch: ScanBatch, part: ScanPart, facts: Facts) -> None:
    """Record what the first part found the file to be, and make the others."""
    batch.kind, batch.sides = facts["kind"], facts["sides"]
    batch.save(update_fields=("kind", "sides"))
    parts = ScanPart.objects.bulk_create(
        ScanPart(
            batch=batch, first=first, last=min(first + PART, batch.sides), priority=part.priority
        )
        for first in range(facts["last"], batch.sides, PART)
    )
    transaction.on_commit(lambda: queue.ring(queue.READ, [each.pk for each in parts]))


def _left(batch: ScanBatch) -> bool:
    to_read = (State.WAITING, State.CLAIMED, State.QUARANTINED)
    return ScanPart.objects.filter(batch=batch, state__in=to_read).exists()
