"""Receipts: what a school is answered once the scans that it mailed are read and bound.

One a mail, to the school's own known address; never to a stranger, nor for what a machine sent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from docgen.backoffice import gate, messages, reviews
from docgen.backoffice.events import tell
from docgen.backoffice.models import Mail, Message, Return, ScanBatch, ScannedPage, School, State
from docgen.errors import Problem
from docgen.mailing.incoming import REASONS
from docgen.mailing.words import Received, ReceivedDocument, ReceivedFile, of_receipt

MOST_A_DAY = 20  # to a school: what wants more answers is a loop, not a school
AT_ONCE = 100
PATIENCE = timedelta(hours=24)  # then what is read is told, and that the rest is not
BY = "mailbox"
Outcome = ScannedPage.Outcome
SETTLED = (*reviews.SETTLED, Outcome.DUPLICATE)
BEFORE = "Déjà reçu"
OF_OTHERS = "cette face est d’un document d’un autre établissement."


def due() -> bool:
    """Tell whether any receipt is due, whether it can be written by now or not."""
    return Mail.objects.filter(is_receipt_due=True, state=State.DONE).exists()


def write_due() -> int:
    """Write the receipts of mails whose files are all read and bound; give how many."""
    rows = Mail.objects.filter(is_receipt_due=True, state=State.DONE).order_by("created_at", "id")
    return sum(_written(pk) for pk in list(rows.values_list("pk", flat=True)[:AT_ONCE]))


@transaction.atomic
def _written(pk: UUID) -> bool:
    rows = Mail.objects.select_for_update(skip_locked=True, of=("self",))
    mail = rows.filter(pk=pk, is_receipt_due=True, state=State.DONE).first()
    if mail is None or mail.school is None:
        return False
    batches = _batches(mail)
    if not _is_final(batches) and not _is_late(mail):
        return False
    Mail.objects.filter(pk=mail.pk).update(is_receipt_due=False)
    if _count_today(mail.school) >= MOST_A_DAY:
        tell("receipts-stopped", str(mail.pk), school=mail.school.pk, actor=BY, most=MOST_A_DAY)
        return False
    words = of_receipt(_told(mail, mail.school, batches))
    message = messages.write(
        Message.Kind.RECEIPT,
        f"receipt:{mail.pk}",
        mail.school,
        words,
        in_reply_to=mail.message_id,
        automatic="auto-replied",
    )
    return message is not None


def _batches(mail: Mail) -> list[ScanBatch]:
    found = {str(each.pk): each for each in ScanBatch.objects.filter(pk__in=mail.batches)}
    return [found[each] for each in mail.batches if each in found]


def _is_final(batches: Sequence[ScanBatch]) -> bool:
    return all(
        batch.stage != ScanBatch.Stage.RECEIVED
        and not reviews.is_binding(reviews.documents_of(batch, gate.SYSTEM))
        for batch in batches
    )


def _is_late(mail: Mail) -> bool:
    return Mail.objects.filter(pk=mail.pk, created_at__lt=Now() - PATIENCE).exists()


def _count_today(school: School) -> int:
    recent = Message.objects.filter(school=school, kind=Message.Kind.RECEIPT)
    return recent.filter(created_at__gt=Now() - timedelta(days=1)).count()


def _told(mail: Mail, school: School, batches: Sequence[ScanBatch]) -> Received:
    """Give what a receipt tells: of documents, those of the school alone."""
    documents = dict[UUID, Return]()
    for batch in batches:
        here = reviews.documents_of(batch, gate.SYSTEM).filter(school=school)
        documents |= {row.pk: row for row in here}
    return Received(
        uai=school.pk,
        school=school.name,
        received_at=timezone.localtime(mail.created_at),
        files=tuple(replace(_file(each, school), label=_label(each, mail)) for each in batches),
        documents=tuple(_document(row) for row in documents.values()),
        refused=tuple(_refused(mail)),
    )


def _label(batch: ScanBatch, mail: Mail) -> str:
    """Give the name of a file; another mail, of another school perhaps, named what it brought."""
    return batch.label if batch.created_at >= mail.created_at else BEFORE


def _file(batch: ScanBatch, school: School) -> ReceivedFile:
    if batch.stage == ScanBatch.Stage.RECEIVED:
        return ReceivedFile(label=batch.label, is_read=False)
    if batch.stage == ScanBatch.Stage.REFUSED:
        problems = tuple(Problem(*each) for each in batch.problems)
        return ReceivedFile(label=batch.label, problems=problems)
    pages = list(batch.pages.select_related("back").defer("reading").order_by("index"))
    ours = [page for page in pages if page.back is None or page.back.school_id == school.pk]
    outcomes = [page.outcome for page in ours]
    return ReceivedFile(
        label=batch.label,
        sides=len(pages),
        known=outcomes.count(Outcome.KNOWN),
        blank=outcomes.count(Outcome.BLANK),
        duplicates=outcomes.count(Outcome.DUPLICATE),
        to_review=tuple(
            (page.index + 1, reviews.sentence(page) if page in ours else OF_OTHERS)
            for page in pages
            if page.outcome not in SETTLED or page not in ours
        ),
    )


def _document(row: Return) -> ReceivedDocument:
    return ReceivedDocument(
        title=row.title,
        reference=row.reference,
        missing=tuple(row.missing),
        unsigned=tuple((each["side"], each["zone"]) for each in row.unsigned),
        unseen=tuple((each["side"], each["zone"]) for each in row.unseen),
        problems=tuple(Problem(*each) for each in row.problems),
    )


def _refused(mail: Mail) -> Iterator[Problem]:
    """Give what was not taken and why; pictures of a signature are not worth a word."""
    for each in mail.refused:
        if each["reason"] == "decoration":
            continue
        problems = [Problem(*row) for row in each["problems"]] or [Problem(REASONS[each["reason"]])]
        yield from (Problem(problem.what, each["label"], problem.remedy) for problem in problems)
