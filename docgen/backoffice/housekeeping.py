"""The end of what was kept long enough: rows, files of the store, files left behind.

A dry run does the same in transactions that it rolls back: what it tells is what would go. A file
goes when no row names it any more, and never while somebody is about to name it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Model, Q, QuerySet
from django.db.models.functions import Now

from docgen.backoffice import beats, claims, forgetting, print_jobs, store
from docgen.backoffice.events import tell
from docgen.backoffice.keeping import Periods, read_periods
from docgen.backoffice.models import (
    Attestation,
    Beat,
    Binding,
    Conversion,
    Delivery,
    Document,
    Event,
    HookCall,
    IdempotentAnswer,
    Mail,
    Message,
    Paper,
    PrintJob,
    Return,
    ReviewStep,
    ScanBatch,
    ScanPart,
    State,
    Volume,
)
from docgen.errors import Problem

DAY = 24 * 3600
Stage = PrintJob.Stage
NEVER_READ = Problem("personne n’a pu lire ce fichier à temps.", "", "Numérisez de nouveau.")
ENDED = (State.DONE, State.FAILED, State.QUARANTINED, State.CANCELLED)
M = TypeVar("M", bound=Model)
Removed = tuple[int, set[str]]  # rows, and names of the files that they named


@dataclass(slots=True)
class Tally:
    """What went of a kind: rows, files, and the bytes of the files."""

    kind: str
    rows: int = 0
    files: int = 0
    size: int = 0


def purge(periods: Periods, *, really: bool) -> list[Tally]:
    """Take away what was kept long enough; without `really`, only say what would go."""
    done = [
        _volumes(periods.volumes, really=really),
        _values(periods.values, really=really),
        _rows("documents", _old_documents(periods.documents), really=really),
        _attestations(periods.attestations, really=really),
        _deliveries(periods.attestations, really=really),
        _messages(periods.messages, really=really),
        _conversions(periods.conversions, really=really),
        _papers(periods, really=really),
        _scans(periods.scans, really=really),
        _arrivals(periods.scans, really=really),
        _copies(periods.copies, really=really),
        _incoming(periods, really=really),
        _returns(periods, really=really),
        _rows("batches", _old(ScanBatch, periods.documents), really=really),
        _rows("bindings", _old(Binding, periods.scans).filter(state__in=ENDED), really=really),
        _rows("answers", _old(IdempotentAnswer, periods.answers), really=really),
        _rows("calls", _old(HookCall, periods.calls).filter(state__in=ENDED), really=really),
        _rows("events", Event.objects.filter(at__lt=_before(periods.events)), really=really),
        *_access(periods.access, really=really),
        _temporary(periods.temporary, really=really),
        _orphans(periods.orphans, really=really),
    ]
    if really:
        for each in done:
            if each.rows or each.files:
                tell("purged", each.kind, rows=each.rows, files=each.files)
    return done


def purge_daily() -> list[Tally]:
    """Purge if nobody did today."""
    periods = read_periods(settings.DATA)
    if not beats.take("purge", timedelta(days=1)):
        return []
    return purge(periods, really=True)


def _before(days: int) -> object:
    return Now() - timedelta(days=days)


def _old(model: type[M], days: int) -> QuerySet[M]:
    return model._default_manager.filter(created_at__lt=_before(days))


def _volumes(days: int, *, really: bool) -> Tally:
    """Take the files of old jobs; a job that could not be printed in all that time is cancelled."""
    tally = Tally("volumes")
    jobs = PrintJob.objects.filter(created_at__lt=_before(days), purged_at=None)
    for job in jobs.exclude(stage=Stage.CANCELLED).defer("profile"):
        _do(tally, partial(_without_files, job), really=really)
    return tally


def _without_files(job: PrintJob) -> Removed:
    row = PrintJob.objects.select_for_update().get(pk=job.pk)
    files = print_jobs.files_of(row)
    if row.stage == Stage.ACCEPTED:
        print_jobs.cancel(row, "docgen")
    Volume.objects.filter(job=row).update(sha256="", register="")
    PrintJob.objects.filter(pk=row.pk).update(ticket="", purged_at=Now())
    return 1, files


def _values(days: int, *, really: bool) -> Tally:
    """Take what old documents say; what recognises their paper stays."""
    tally = Tally("values")
    jobs = PrintJob.objects.filter(created_at__lt=_before(days)).exclude(letterhead={})
    for job in jobs.only("id"):
        _do(tally, partial(_without_values, job), really=really)
    return tally


def _without_values(job: PrintJob) -> Removed:
    rows = Document.objects.filter(volume__job=job).update(values={}, title="")
    PrintJob.objects.filter(pk=job.pk).update(constants={}, letterhead={})
    return rows, set()


def _old_documents(days: int) -> QuerySet[Document]:
    return Document.objects.filter(volume__job__created_at__lt=_before(days))


def _attestations(days: int, *, really: bool) -> Tally:
    """Take the papers of old attestations; their records, each sealed upon the last, stay."""
    tally = Tally("attestations")
    for row in _old(Attestation, days).filter(state__in=ENDED).exclude(files={}):
        _do(tally, partial(_without_papers, row), really=really)
    return tally


def _without_papers(row: Attestation) -> Removed:
    Paper.objects.filter(attestation=row).update(sha256="")
    rows = Attestation.objects.filter(pk=row.pk).update(files={})
    return rows, set(_names_in(row.files))


def _deliveries(days: int, *, really: bool) -> Tally:
    """Take the files of old deliveries and of their mails; that they were sent stays known."""
    tally = Tally("deliveries")
    for row in _old(Delivery, days).exclude(state=State.CLAIMED).exclude(sha256=""):
        _do(tally, partial(_without_mails, row), really=really)
    return tally


def _without_mails(row: Delivery) -> Removed:
    mails = Message.objects.filter(delivery=row)
    files = {row.sha256, *mails.values_list("sha256", flat=True)}
    mails.update(sha256="")
    return Delivery.objects.filter(pk=row.pk).update(sha256=""), files - {""}


def _messages(days: int, *, really: bool) -> Tally:
    """Take old receipts and reminders, whatever became of them."""
    tally = Tally("messages")
    for row in _old(Message, days).filter(delivery=None).exclude(state=State.CLAIMED):
        _do(tally, partial(_without_message, row), really=really)
    return tally


def _without_message(row: Message) -> Removed:
    rows = Message.objects.filter(pk=row.pk).exclude(state=State.CLAIMED)
    return rows.delete()[0], {row.sha256} - {""}


def _conversions(days: int, *, really: bool) -> Tally:
    tally = Tally("conversions")
    for row in _old(Conversion, days).exclude(state=State.CLAIMED):
        _do(tally, partial(_without_conversion, row), really=really)
    return tally


def _without_conversion(row: Conversion) -> Removed:
    """Take an order and its files; what recognises its paper stays."""
    papers = Paper.objects.filter(conversion=row.pk)
    files = {*_names_in(row.files), row.model, *papers.values_list("sha256", flat=True)}
    if not Conversion.objects.select_for_update().filter(pk=row.pk).exclude(state=State.CLAIMED):
        return 0, set()
    papers.update(sha256="")
    Conversion.objects.filter(pk=row.pk).delete()
    return 1, files - {""}


def _papers(periods: Periods, *, really: bool) -> Tally:
    """Take the print of old conventions, then what recognises their paper."""
    tally = Tally("papers")
    rows = Paper.objects.filter(attestation=None)
    for row in rows.filter(created_at__lt=_before(periods.values)).exclude(sha256=""):
        _do(tally, partial(_without_print, row), really=really)
    old = rows.filter(created_at__lt=_before(periods.documents), returns=None)
    _do(tally, lambda: (old.delete()[0], set()), really=really)
    return tally


def _without_print(row: Paper) -> Removed:
    return Paper.objects.filter(pk=row.pk).update(sha256=""), {row.sha256}


def _scans(days: int, *, really: bool) -> Tally:
    """Take files of scans as they were sent; one that nobody could read is refused by then."""
    tally = Tally("scans")
    for batch in _old(ScanBatch, days).filter(purged_at=None):
        _do(tally, partial(_without_original, batch), really=really)
    return tally


def _without_original(batch: ScanBatch) -> Removed:
    row = ScanBatch.objects.select_for_update().get(pk=batch.pk)
    if row.stage == ScanBatch.Stage.RECEIVED:
        parts = ScanPart.objects.filter(batch=row).exclude(state__in=ENDED[:2])
        parts.update(state=State.CANCELLED, token=F("token") + 1, finished_at=Now())
        row.stage, row.problems = ScanBatch.Stage.REFUSED, claims.as_lists([NEVER_READ])
    changes = {"stage": row.stage, "problems": row.problems, "purged_at": Now()}
    return ScanBatch.objects.filter(pk=row.pk).update(**changes), {row.sha256}


def _copies(days: int, *, really: bool) -> Tally:
    """Take what shows the sides of old scans, and what people wrote about them."""
    tally = Tally("copies")
    shown = Q(label__gt="") | Q(parts__copy__gt="")
    for batch in _old(ScanBatch, days).filter(shown).distinct():
        _do(tally, partial(_without_copies, batch), really=really)
    return tally


def _without_copies(batch: ScanBatch) -> Removed:
    parts = ScanPart.objects.filter(batch=batch)
    files = {name for pair in parts.values_list("copy", "previews") for name in pair if name}
    parts.update(copy="", previews="")
    ReviewStep.objects.filter(page__batch=batch).update(note="")
    return ScanBatch.objects.filter(pk=batch.pk).update(label=""), files


def _incoming(periods: Periods, *, really: bool) -> Tally:
    """Take mails as they came, which hold scans, then what was named in them, then all of them."""
    tally = Tally("incoming")
    for mail in _old(Mail, periods.scans).filter(purged_at=None):
        _do(tally, partial(forgetting.content, mail), really=really)
    for mail in _old(Mail, periods.copies).exclude(message_id="", refused=[]):
        _do(tally, partial(forgetting.names, mail), really=really)
    _do(tally, lambda: (_old(Mail, periods.documents).delete()[0], set()), really=really)
    return tally


def _returns(periods: Periods, *, really: bool) -> Tally:
    """Take what came home long ago, signed or not."""
    tally = Tally("returns")
    attested = Q(paper__attestation__isnull=False)
    old = Q(created_at__lt=_before(periods.returns)) & ~attested
    for row in Return.objects.filter(old | Q(created_at__lt=_before(periods.attestations))):
        _do(tally, partial(_without_return, row), really=really)
    return tally


def _without_return(row: Return) -> Removed:
    return Return.objects.filter(pk=row.pk).delete()[1][Return._meta.label], {row.sha256} - {""}


def _access(days: int, *, really: bool) -> Iterator[Tally]:
    attempts = AccessAttempt.objects.filter(attempt_time__lt=_before(days))
    sessions = Session.objects.filter(expire_date__lt=Now())
    yield _rows("sign-ins", attempts, really=really)
    yield _rows("sessions", sessions, really=really)


def _rows(kind: str, rows: QuerySet[M], *, really: bool) -> Tally:
    tally = Tally(kind)
    _do(tally, lambda: (rows.delete()[0], set()), really=really)
    return tally


def _do(tally: Tally, remove: Callable[[], Removed], *, really: bool) -> None:
    """Remove rows in a transaction, then the files that no row names any more."""
    with transaction.atomic():
        rows, files = remove()
        unused = [name for name in files if not store.is_named(name)]
        tally.rows += rows
        for name in unused:
            tally.files += 1
            tally.size += _size(store.name(name))
        if not really:
            transaction.set_rollback(True)
            return
    store.drop_unused(unused)


def _names_in(files: object) -> Iterator[str]:
    """Give the names of files in what a row tells of its files."""
    if isinstance(files, str) and len(files) == 64:  # a SHA-256, in hexadecimal
        yield files
    elif isinstance(files, dict | list):
        for each in files.values() if isinstance(files, dict) else files:
            yield from _names_in(each)


def _temporary(days: int, *, really: bool) -> Tally:
    """Take what those who were killed left: uploads, bells nobody heard, signs of dead workers."""
    dead = Beat.objects.filter(name__startswith=beats.WORKER, at__lt=_before(days))
    tally = _rows("temporary", dead, really=really)
    folders = (settings.UPLOADS, settings.QUEUE_FOLDER, settings.DATA / store.BORROWED)
    for path in (path for folder in folders for path in sorted(Path(folder).rglob("*"))):
        with suppress(FileNotFoundError):  # its owner has just taken it away
            facts = path.stat()
            if path.is_file() and facts.st_mtime < time.time() - days * DAY:
                tally.files += 1
                tally.size += facts.st_size
                if really:
                    path.unlink()
    return tally


def _arrivals(days: int, *, really: bool) -> Tally:
    """Take what was put aside in the watched folder, received or refused."""
    tally = Tally("arrivals")
    aside = (folder for name in ("recus", "refuses") for folder in _aside(name))
    for path in (path for folder in aside for path in sorted(folder.iterdir())):
        with suppress(FileNotFoundError):
            facts = path.lstat()
            # When it was put there: a file keeps the moment of its writing.
            if not path.is_dir() and facts.st_ctime < time.time() - days * DAY:
                tally.files += 1
                tally.size += facts.st_size
                if really:
                    path.unlink()
    return tally


def _aside(name: str) -> Iterator[Path]:
    """Give the folders of a name in the watched folder and in those of schools, never by a link."""
    places = (settings.INBOX, *settings.INBOX.glob("[0-9]*"))
    found = (place / name for place in places if not place.is_symlink())
    return (folder for folder in found if folder.is_dir() and not folder.is_symlink())


def _orphans(days: int, *, really: bool) -> Tally:
    """Take files of the store that no row names: their workers died before they could."""
    tally = Tally("orphans")
    for path in stored():
        file = Path(path).name
        is_half = file.startswith(store.WRITING)
        if not is_half and store.is_named(file):
            continue
        with suppress(FileNotFoundError):
            if default_storage.get_modified_time(path).timestamp() > time.time() - days * DAY:
                continue
            tally.files += 1
            tally.size += _size(path)
            if really and is_half:
                default_storage.delete(path)
            elif really:
                store.drop_unused((file,))
    return tally


def stored() -> Iterator[str]:
    """Give the paths of all the files of the store."""
    with suppress(FileNotFoundError):  # nothing was ever kept
        for folder in default_storage.listdir("")[0]:
            yield from (f"{folder}/{file}" for file in default_storage.listdir(folder)[1])


def _size(path: str) -> int:
    try:
        return default_storage.size(path)
    except FileNotFoundError:
        return 0
