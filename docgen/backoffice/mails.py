"""Mails that came: each read once, in a child; its scans become batches, its notices are passed on.

Who a mail is from is believed for two things only. A receipt goes to the school whose own address
it is. Its scans are that school's if our mail server vouches for the sender (post.authserv); else
they are a pile, whose page codes alone say whose paper it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from docgen.backoffice import bulk, claims, messages, queue, scans, store
from docgen.backoffice.events import tell
from docgen.backoffice.gate import Actor
from docgen.backoffice.models import Mail, ScanBatch, School, State
from docgen.errors import InvalidInput, Problem, ScanRejected
from docgen.mailing import incoming
from docgen.mailing.bounces import Bounce
from docgen.mailing.incoming import House, Incoming

MOST = incoming.MOST
BY = "mailbox"  # who acts, in events
BY_HAND, DISMISSED = "by-hand", "dismissed"
STOPPED = (State.QUARANTINED, State.FAILED)
MOST_DEATHS = 2  # of readers; then the mail is put aside as too heavy
Verdict = Mail.Verdict
# Somebody has to decide about these: put aside for their reason, or by their deaths.
AWAITING = Q(verdict=Verdict.QUARANTINE, state=State.DONE) & ~Q(reason=DISMISSED)
AWAITING |= Q(state__in=STOPPED)
Facts: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader is to do: a mail of the store, and what it must know of ourselves."""

    sha256: str
    house: House


def known(boxes: Iterable[str]) -> set[str]:
    """Give which places of the mailbox have mails that were taken already."""
    found = set[str]()
    for chunk in bulk.chunks(list(boxes)):
        found |= set(Mail.objects.filter(box__in=chunk).values_list("box", flat=True))
    return found


def receive(box: str, size: int, path: Path | None) -> Mail | None:
    """Keep a mail that came, once; None when it was kept before, or somebody else just did.

    `size` is in bytes. `path` is None for one too large to be fetched: it is put aside at once.
    """
    facts: Facts = {"sha256": store.keep(path) if path else ""}
    if path is None:
        facts |= {"verdict": Verdict.QUARANTINE, "reason": "too-large", "state": State.DONE}
    try:
        with transaction.atomic():
            store.require(filter(None, (facts["sha256"],)))
            if path and _moved(box, facts["sha256"]):
                return None
            mail = Mail.objects.create(box=box, size=size, **facts)
            if path is None:
                _tell_aside(mail, "too-large")
            else:
                tell("mail-received", str(mail.pk), actor=BY, size=size)
                transaction.on_commit(lambda: queue.ring(queue.READ_MAIL, [mail.pk]))
    except IntegrityError:  # another worker was first
        return None
    return mail


def _moved(box: str, sha256: str) -> bool:
    """Tell whether a mail was taken from a box that was numbered otherwise: it is here now.

    A server that changes UIDVALIDITY (RFC 3501, 2.3.1.1) numbers all its mails anew.
    """
    numbering = box.rpartition("/")[0]
    place = numbering.rpartition("/")[0]
    same = Mail.objects.filter(sha256=sha256, box__startswith=f"{place}/")
    row = same.exclude(box__startswith=f"{numbering}/").order_by("box").first()
    return row is not None and Mail.objects.filter(pk=row.pk, box=row.box).update(box=box) == 1


def begin(mail: Mail) -> Wanted:
    """Give what a reader is to do."""
    post = settings.POST
    ours = {post.sender.lower()}
    if post.imap and "@" in post.imap.user:
        ours.add(post.imap.user.lower())
    house = House(
        post.domain,
        frozenset(ours),
        authserv=post.authserv,
        senders=post.senders,
        is_taken=mail.reason == BY_HAND,
    )
    return Wanted(mail.sha256, house)


def finish(mail: Mail, found: Incoming, folder: Path) -> bool:
    """Record what a mail is, and take its scans in; False when the claim was lost.

    What is done before the claim is looked at does no harm done twice: a file is received once.
    """
    school = mail.school if mail.reason == BY_HAND else school_of(found.sender)
    theirs = school if found.is_believed or mail.reason == BY_HAND else None
    batches, refused = _received(found, folder, theirs)
    verdict, reason = found.verdict, found.reason
    if verdict == Verdict.SCANS and not batches:
        verdict, reason = Verdict.QUARANTINE, "refused-file"
    if mail.reason == BY_HAND and verdict == Verdict.SCANS:
        reason = BY_HAND
    is_told = verdict in (Verdict.SCANS, Verdict.EMPTY) or reason in incoming.OF_FILES
    changes: Facts = {
        "school": school,
        "message_id": found.message_id,
        "batches": batches,
        "refused": refused,
        "is_receipt_due": bool(school and found.is_answerable and is_told and reason != "answer"),
    }
    with transaction.atomic():
        passed_on = [_passed_on(each) for each in found.bounces]
        if found.bounces and not any(passed_on):
            verdict, reason = Verdict.AUTOMATIC, "notice-of-others"
        if not claims.finish(mail, verdict=verdict, reason=reason, problems=[], **changes):
            transaction.set_rollback(True)
            return False
        mail.school = school
        if verdict == Verdict.QUARANTINE:
            _tell_aside(mail, reason)
        else:
            uai = school.pk if school else ""
            tell("mail-read", str(mail.pk), school=uai, actor=BY, files=len(batches))
    return True


def fail(mail: Mail, problems: list[Problem]) -> bool:
    """Put aside a mail that cannot be read; False when the claim was lost."""
    return _put_aside(mail, "broken")


def died(mail: Mail) -> bool:
    """Put aside a mail whose reader died of it twice; False when the claim was lost."""
    if mail.deaths + 1 < MOST_DEATHS:
        return claims.release(mail, is_own_fault=True)
    return _put_aside(mail, "too-heavy")


def school_of(sender: str) -> School | None:
    """Give the school whose own address this is; None when it is nobody's, or several schools'."""
    found = list(School.objects.filter(email__iexact=sender)[:2]) if sender else []
    return found[0] if len(found) == 1 else None


def awaits(mail: Mail) -> bool:
    """Tell whether somebody has to decide about a mail: put aside for its reason, or its deaths."""
    is_aside = mail.verdict == Verdict.QUARANTINE and mail.state == State.DONE
    return (is_aside and mail.reason != DISMISSED) or mail.state in STOPPED


def take(mail: Mail, school: School | None, by: Actor) -> Mail:
    """Take in after all the scans of a mail that was put aside: a school's, or a pile of several.

    Raises:
        InvalidInput: for a mail that is not put aside, or whose file is not kept.
    """
    with transaction.atomic():
        row = _looked_at(mail)
        if not row.sha256 or row.purged_at:
            what = "le fichier de ce message n’est pas gardé."
            raise InvalidInput(
                Problem(what, "", "Prenez-le dans la boîte, et envoyez-en les scans.")
            )
        row.school, row.reason, row.verdict = school, BY_HAND, Verdict.WAITING
        row.state, row.token, row.deaths, row.lost = State.WAITING, row.token + 1, 0, 0
        row.delays, row.delayed_until, row.problems = 0, None, []
        row.save()
        uai = school.pk if school else ""
        tell("mail-taken", str(row.pk), school=uai, actor=by.label)
        transaction.on_commit(lambda: queue.ring(queue.READ_MAIL, [row.pk]))
    return row


def dismiss(mail: Mail, by: Actor) -> Mail:
    """Say that a mail that was put aside is of no use: it is kept as long as others are.

    Raises:
        InvalidInput: for a mail that is not put aside.
    """
    with transaction.atomic():
        row = _looked_at(mail)
        row.reason, row.verdict, row.is_receipt_due = DISMISSED, Verdict.QUARANTINE, False
        row.state = State.DONE
        row.save(update_fields=("reason", "verdict", "state", "is_receipt_due"))
        tell("mail-dismissed", str(row.pk), school=row.school_id or "", actor=by.label)
    return row


def _looked_at(mail: Mail) -> Mail:
    """Hold a mail that somebody decides about; one that was dismissed can be looked at again."""
    row = Mail.objects.select_for_update().get(pk=mail.pk)
    if not awaits(row) and row.reason != DISMISSED:
        raise InvalidInput(
            Problem("ce message n’est pas mis de côté.", "", "Rien n’est à décider.")
        )
    return row


def _received(
    found: Incoming, folder: Path, school: School | None
) -> tuple[list[str], list[Mapping[str, object]]]:
    """Receive the scans of a mail; give their batches, and what was not taken with its reason."""
    batches, refused = list[str](), list[Mapping[str, object]]()
    for each in found.attachments:
        problems = list[Problem]()
        if each.file:
            way = ScanBatch.Source.MAIL
            try:
                batch, _ = scans.receive(folder / each.file, school, each.label, way, BY)
                batches.append(str(batch.pk))
                continue
            except ScanRejected as error:
                problems += error.problems
        told = {"label": each.label, "reason": each.reason or "refused-file"}
        refused.append({**told, "problems": claims.as_lists(problems)})
    return list(dict.fromkeys(batches)), refused


def _passed_on(notice: Bounce) -> bool:
    """Tell who sent it that a mail of ours came back; whether it is one of ours is the answer."""
    facts = notice.message_id, notice.status, notice.words
    return messages.bounced(*facts, action=notice.action)


def _put_aside(mail: Mail, reason: str) -> bool:
    with transaction.atomic():
        if not claims.finish(mail, verdict=Verdict.QUARANTINE, reason=reason):
            return False
        _tell_aside(mail, reason)
    return True


def _tell_aside(mail: Mail, reason: str) -> None:
    uai = mail.school_id or ""
    tell("mail-quarantined", str(mail.pk), school=uai, actor=BY, reason=reason)
