"""Print jobs: accepted, printed volume by volume, cancelled, printed again.

What is printed is copied when the job is accepted. A volume is then printed from its rows alone,
as often as it takes: the same rows give the same bytes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Now

from docgen import jobfolder
from docgen.backoffice import bulk, claims, queue, shelf, store
from docgen.backoffice.events import tell
from docgen.backoffice.models import Document, Event, PrintJob, State, Volume
from docgen.errors import InvalidInput, Problem
from docgen.press import Job

COUNTER, BATCH = 1, 5  # priorities: somebody who waits at the counter comes first
DUPLICATA = "Duplicata"
STARTS = ("job-accepted", "job-reprinted", "job-retried")  # events: from then on, it is printed
OPEN_STAGES = (PrintJob.Stage.ACCEPTED, PrintJob.Stage.READY, PrintJob.Stage.FAILED)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: documents and sheets done, and how many a second (0 while unknown).

    What a refused volume holds is not done, and not left either: it waits for somebody.
    """

    stage: str
    documents: int
    done: int
    sheets: int
    rate: float
    seconds_left: int | None
    problems: list[list[str]]


def create(job: Job, requested_by: str, priority: int = BATCH) -> PrintJob:
    """Accept a job: its documents are cleaned, numbered and kept, all of them or none.

    Raises:
        InvalidInput: with every problem of every person.
    """
    documents = list(job.documents())
    if job.problems:
        raise InvalidInput(job.problems)
    order = job.order
    marks = list(order.marks)
    row = PrintJob(
        name=jobfolder.name(job),
        layout=order.layout.name,
        school_year=order.roster.school_year,
        key_number=job.key.number,
        constants=dict(job.constants),
        letterhead=msgspec.to_builtins(order.school),
        on=order.on,
        marks=marks,
        separators=order.separators,
        by_class=order.ordering == "class",
        profile=order.profile.read_bytes() if order.profile else b"",
        profile_name=order.profile.name if order.profile else "",
        documents=len(documents),
        sides=len(documents) * order.layout.sides,
        sheets=len(documents) * order.layout.sheets,
        requested_by=requested_by,
        school_id=order.school.uai,
    )
    rows = (
        Document(
            person=each.person,
            division=each.division,
            title=each.title,
            number=each.number,
            reference=each.copy.reference,
            variant=each.copy.variant,
            values=dict(each.copy.values),
            mark=each.copy.mark,
        )
        for each in documents
    )
    with transaction.atomic():
        row.template = shelf.remembered(order.template)
        _save(row, rows, order.volume, priority)
        tell(
            "job-accepted",
            str(row.pk),
            school=row.school_id,
            actor=requested_by,
            documents=row.documents,
        )
    return row


def reprint(
    job: PrintJob,
    requested_by: str,
    *,
    documents: Sequence[int] = (),
    is_duplicata: bool = False,
    priority: int = BATCH,
) -> PrintJob:
    """Print again what a job printed: the same bytes, but for the mark of a duplicata.

    `documents` are ids of rows; without any, all of the job's.

    Raises:
        InvalidInput: when the job's values were purged, or hold none of these documents.
    """
    rows = _chosen(job, documents)
    size = Volume.objects.filter(job=job).order_by("number").values_list("documents", flat=True)[0]
    printed = {each.mark for each in rows}
    again = PrintJob(
        name=job.name,
        school_id=job.school_id,
        template_id=job.template_id,
        layout=job.layout,
        school_year=job.school_year,
        key_number=job.key_number,
        constants=job.constants,
        letterhead=job.letterhead,
        on=job.on,
        marks=[mark for mark in job.marks if printed & {mark, _duplicata(mark)}],
        separators=job.separators and not documents,
        by_class=job.by_class,
        profile=job.profile,
        profile_name=job.profile_name,
        documents=len(rows),
        sides=len(rows) * (job.sides // job.documents),
        sheets=len(rows) * _sheets(job),
        requested_by=requested_by,
        reprint_of=job,
    )
    for each in rows:
        each.pk = None
        if is_duplicata:
            each.mark = _duplicata(each.mark)
    with transaction.atomic():
        _save(again, rows, size, priority)
        tell(
            "job-reprinted",
            str(again.pk),
            school=again.school_id,
            actor=requested_by,
            of=str(job.pk),
            documents=len(rows),
            duplicata=is_duplicata,
        )
    return again


def _chosen(job: PrintJob, documents: Sequence[int]) -> list[Document]:
    """Give rows of a job in the order of printing: those of these ids, or all."""
    # Those of a cancelled job are nobody's any more.
    found = Document.objects.filter(volume__job=job).exclude(person="")
    found = found.order_by("volume__number", "position")
    if documents:
        found = found.filter(pk__in=documents)
    rows = list(found)
    is_purged = not job.letterhead
    if is_purged or len(rows) != (len(set(documents)) or job.documents):
        what = "ces documents ne sont pas dans ce lot, ou leur durée de conservation est passée."
        raise InvalidInput(Problem(what, job.name, "Refaites un lot."))
    return rows


def _duplicata(mark: str) -> str:
    """Give the mark of a duplicata; that of a duplicata is the same."""
    if mark.endswith(("duplicata", DUPLICATA)):
        return mark
    return f"{mark}, duplicata" if mark else DUPLICATA


def _sheets(job: PrintJob) -> int:
    """Give the sheets of one document; those of the job hold its separators too."""
    return -(-(job.sides // job.documents) // 2)


def _save(job: PrintJob, documents: Iterable[Document], size: int, priority: int) -> None:
    job.name = _own_name(job)
    job.save(force_insert=True)
    remaining = iter(documents)
    volumes: list[int] = []
    while batch := list(islice(remaining, size)):
        volume = Volume.objects.create(
            job=job, number=len(volumes) + 1, documents=len(batch), priority=priority
        )
        for position, each in enumerate(batch):
            each.volume, each.position = volume, position
        bulk.insert(batch)
        volumes.append(volume.pk)
    transaction.on_commit(lambda: queue.ring(queue.PRINT, volumes))


def _own_name(job: PrintJob) -> str:
    """Tell a job from others of the same order: a shop with both must not mix up their files."""
    named = PrintJob.objects.filter(school_id=job.school_id, name__startswith=job.name)
    taken = set(named.values_list("name", flat=True))
    others = (f"{job.name}-{number}" for number in count(2))
    return next(name for name in chain([job.name], others) if name not in taken)


def finish(volume: Volume, facts: dict[str, Any]) -> bool:
    """Record a printed volume, and the job when it was the last; False when the claim was lost.

    Raises:
        FileNotFoundError: when its files were dropped since they were kept.
    """
    with transaction.atomic():
        store.require((facts["sha256"], facts["register"]))
        job = PrintJob.objects.select_for_update().get(pk=volume.job_id)
        if not claims.finish(volume, done=volume.documents, **facts):
            return False
        tell(
            "volume-printed",
            f"{job.pk}/{volume.number}",
            school=job.school_id,
            sha256=facts["sha256"],
        )
        _settle(job)
    return True


def fail(volume: Volume, problems: list[Problem]) -> bool:
    """Record why a volume is refused; the others go on, so that all problems are told."""
    with transaction.atomic():
        job = PrintJob.objects.select_for_update().get(pk=volume.job_id)
        if not claims.fail(volume, problems, done=0):
            return False
        tell(
            "volume-refused",
            f"{job.pk}/{volume.number}",
            school=job.school_id,
            problems=len(problems),
        )
        _settle(job)
    return True


def _settle(job: PrintJob) -> None:
    """Move a job on when no volume of it is left to print. The job's row is locked."""
    if job.stage != PrintJob.Stage.ACCEPTED:
        return
    left = Q(state__in=(State.WAITING, State.CLAIMED, State.QUARANTINED))
    if Volume.objects.filter(left, job=job).exists():
        return
    failed = Volume.objects.filter(job=job, state=State.FAILED).exists()
    job.stage = PrintJob.Stage.FAILED if failed else PrintJob.Stage.READY
    separators = Volume.objects.filter(job=job).aggregate(total=Sum("separators"))["total"] or 0
    changes = {"stage": job.stage, "sheets": job.documents * _sheets(job) + separators}
    PrintJob.objects.filter(pk=job.pk).update(**changes, ready_at=None if failed else Now())
    tell(f"job-{job.stage}", str(job.pk), school=job.school_id)


def retry(job: PrintJob, by: str) -> int:
    """Put back in the line what was refused or set aside; give how many volumes.

    Raises:
        InvalidInput: when nothing of the job is waiting for that, or its files were purged.
    """
    with transaction.atomic():
        job = PrintJob.objects.select_for_update().get(pk=job.pk)
        stopped = Volume.objects.filter(job=job, state__in=(State.FAILED, State.QUARANTINED))
        again = [volume.pk for volume in stopped if claims.try_again(volume)]
        if not again or job.stage not in OPEN_STAGES or job.purged_at is not None:
            what = "rien dans ce lot n’attend d’être relancé."
            raise InvalidInput(Problem(what, job.name, "Suivez le lot, ou refaites-le."))
        PrintJob.objects.filter(pk=job.pk).update(stage=PrintJob.Stage.ACCEPTED)
        tell("job-retried", str(job.pk), school=job.school_id, actor=by, volumes=len(again))
        transaction.on_commit(lambda: queue.ring(queue.PRINT, again))
    return len(again)


def cancel(job: PrintJob, by: str) -> None:
    """Cancel a job: workers drop it, its files and the values of its documents go.

    Raises:
        InvalidInput: when it is already with the print shop.
    """
    with transaction.atomic():
        job = PrintJob.objects.select_for_update().get(pk=job.pk)
        if job.stage == PrintJob.Stage.CANCELLED:
            return
        if job.stage not in OPEN_STAGES:
            what = "ce lot est déjà chez l’imprimeur."
            raise InvalidInput(Problem(what, job.name, "Prévenez l’imprimeur."))
        PrintJob.objects.filter(pk=job.pk).update(stage=PrintJob.Stage.CANCELLED)
        files = files_of(job)
        # Its paper may be about: a number and a reference still tell it from a stranger's.
        unnamed = {"person": "", "division": "", "title": "", "values": {}}
        Document.objects.filter(volume__job=job).update(**unnamed)
        # A token that grows takes the claim from whoever holds it.
        Volume.objects.filter(job=job).update(
            state=State.CANCELLED, token=F("token") + 1, sha256="", register="", finished_at=Now()
        )
        tell("job-cancelled", str(job.pk), school=job.school_id, actor=by)
        transaction.on_commit(lambda: store.drop_unused(files))


def files_of(job: PrintJob) -> set[str]:
    """Give the names of a job's files in the store."""
    names = Volume.objects.filter(job=job).values_list("sha256", "register")
    return {name for pair in names for name in pair if name} | ({job.ticket} - {""})


def progress(job: PrintJob) -> Progress:
    """Tell how far a job is."""
    volumes = list(Volume.objects.filter(job=job))
    printed = [each for each in volumes if each.state in (State.CLAIMED, State.DONE)]
    done = sum(each.done for each in printed)
    sheets = done * _sheets(job) + sum(each.separators for each in printed)
    problems = [problem for each in volumes for problem in each.problems]
    rate = _rate(job, printed)
    waiting = [each for each in volumes if each.state in (State.CLAIMED, State.WAITING)]
    left = 0 if job.stage == PrintJob.Stage.READY else None
    if waiting and rate and job.stage == PrintJob.Stage.ACCEPTED:
        left = round(sum(each.documents - each.done for each in waiting) / rate)
    return Progress(job.stage, job.documents, done, sheets, round(rate, 1), left, problems)


def _rate(job: PrintJob, printed: Sequence[Volume]) -> float:
    """Give the documents a second since the job was accepted, or last put back in the line."""
    # Both on the database's clock, as the ends of volumes.
    starts = Event.objects.filter(subject=str(job.pk), kind__in=STARTS).annotate(now=Now())
    start = starts.order_by("-id").values("at", "now").first()
    if start is None or job.stage not in (PrintJob.Stage.ACCEPTED, PrintJob.Stage.READY):
        return 0.0
    at, done, ends = start["at"], 0, [start["at"]]
    for each in printed:
        if each.state == State.CLAIMED:
            done += each.done
        elif each.finished_at and each.finished_at >= at:
            done += each.done
            ends.append(each.finished_at)
    end = start["now"] if job.stage == PrintJob.Stage.ACCEPTED else max(ends)
    return done / max((end - at).total_seconds(), 0.001)
