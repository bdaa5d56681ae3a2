"""Signed attestations on their way to the region: planned once, composed, followed to the end.

    held → new → sending → sent | refused | uncertain        replaced, by a younger version

A version is the sides that a signed file was bound from: the same sides bound again go nowhere.
Mails are `messages`; `stages` sums them up.
"""

import hashlib
from collections.abc import Iterator

from django.db import transaction

from docgen.backoffice import claims, composing, departures, messages, queue, returns, stages, talks
from docgen.backoffice.departures import approve, is_approved, mailbox
from docgen.backoffice.models import Attestation, Delivery, Message, Return, State
from docgen.backoffice.models.deliveries import Posting
from docgen.backoffice.stages import sum_up
from docgen.errors import InvalidInput, Problem
from docgen.typography import NBSP, french

__all__ = ["approve", "is_approved", "mailbox", "plan", "preview", "release", "retry", "settle"]
__all__ += ["sum_up", "why"]

SET_ASIDE = (State.FAILED, State.QUARANTINED)
STANDS = {
    "superseded": "l’attestation a été imprimée de nouveau depuis.",
    "cancelled": "l’attestation a été annulée.",
}
UNSIGNED = "la case « {zone} » est vide."
UNSEEN = "la case « {zone} » n’a pas pu être regardée."
REMEDY = "Regardez le document signé, puis laissez-le partir s’il convient."
UNAPPROVED = "Personne n’a encore approuvé l’envoi par ce serveur : relisez un message, approuvez."
SOUGHT = "Remis, sans réponse du serveur : docgen le cherche à destination. Dernière nouvelle :"
REDIRECTED = (
    "Tout le courrier est détourné vers une adresse d’essai : ce message, écrit pour une autre, "
    "partira quand ce ne sera plus le cas."
)


def plan(back: Return) -> Delivery | None:
    """Plan the mailing of a document that was bound; None when these sides are planned already.

    Call it in the transaction that records the signed file, which holds the document.
    """
    paper = back.paper
    if paper is None or paper.attestation_id is None:
        return None
    # Not its key: whoever plans a copy names it too, and holds a delivery that is wanted here.
    rows = Attestation.objects.select_for_update(no_key=True)
    attestation = rows.get(pk=paper.attestation_id)
    pieces, problems = _digest(back), list(_doubts(back))
    known = Delivery.objects.filter(attestation=attestation, role=Delivery.Role.REGION)
    last = known.order_by("version").last()
    if last and last.pieces == pieces:
        _look_again(last, back, problems)
        return None
    recipient, faults = _address()
    problems += faults
    made = Delivery.objects.create(
        attestation=attestation,
        school_id=back.school_id,
        back=back,
        role=Delivery.Role.REGION,
        recipient=recipient,
        version=last.version + 1 if last else 1,
        sha256=back.sha256,
        pieces=pieces,
        stage=Posting.HELD if problems else Posting.NEW,
        state=State.FAILED if problems else State.WAITING,
        problems=claims.as_lists(problems),
    )
    # What reached the region stays; a trial reached nobody.
    older = known.exclude(pk=made.pk).exclude(stage=Posting.REPLACED)
    older = older.exclude(stage=Posting.SENT, is_test=False).order_by("version")
    stages.replace(map(stages.held, older.values_list("pk", flat=True)))
    stages.say("delivery-planned", made)
    if problems:
        stages.say("delivery-held", made, problems=len(problems))
    else:
        transaction.on_commit(lambda: queue.ring(queue.COMPOSE, [made.pk]))
    return made


def release(delivery: Delivery, by: str) -> None:
    """Let a delivery go that was held: somebody has looked at it.

    Raises:
        InvalidInput: when it is not held, or cannot go yet.
    """
    with transaction.atomic():
        row = stages.held(delivery.pk)
        if row.stage != Posting.HELD:
            raise InvalidInput(Problem("cet envoi n’est pas retenu.", "", "Suivez-le."))
        if row.back and row.back.stage != Return.Stage.BOUND:
            raise InvalidInput(composing.INCOMPLETE)
        stages.compose_again(row, departures.recipient(row) or departures.mailbox())
        stages.say("delivery-released", row, by)


def retry(delivery: Delivery, by: str) -> None:
    """Send again what was refused, look for what is uncertain, hurry what waits.

    Of several mails, those that left stay. What was a trial goes anew once the redirection is gone.

    Raises:
        InvalidInput: when there is nothing to do.
    """
    with transaction.atomic():
        row = stages.held(delivery.pk)
        if not _retried(row, by):
            raise InvalidInput(
                Problem("rien dans cet envoi n’attend d’être relancé.", "", _remedy(row))
            )
        stages.sum_up(row)
        stages.say("delivery-retried", row, by)


def settle(delivery: Delivery, by: str, *, is_sent: bool, part: int = 0) -> None:
    """Record what somebody found out about uncertain mails: they arrived, or go again.

    `part` is the one that is meant, 0 for all: one part may have arrived, and another not.

    Raises:
        InvalidInput: when none is uncertain.
    """
    with transaction.atomic():
        row = stages.held(delivery.pk)
        meant = [each for each in _held_mails(row) if part in (0, each.part)]
        done = [messages.settle(each, by, is_sent=is_sent) for each in meant]
        if not any(done):
            raise InvalidInput(Problem("rien n’est incertain dans cet envoi.", "", _remedy(row)))
        stages.say("delivery-settled", row, by, is_sent=is_sent)
        stages.sum_up(row)


def preview(delivery: Delivery) -> list[Message]:
    """Give the mails that a delivery is made of, part by part; none before they are composed."""
    return list(stages.mails(delivery))


def why(delivery: Delivery, *, may_leave: bool | None = None) -> str:
    """Say why a delivery is where it is, in a sentence or more; "" when nothing holds it back.

    `may_leave` is what `is_approved` told whoever asks about many of them.
    """
    if delivery.stage in (Posting.SENT, Posting.REPLACED):
        return ""
    if delivery.state in SET_ASIDE or delivery.problems:
        return _sentences(delivery.problems)
    rows = sorted(delivery.messages.all(), key=lambda each: each.part)
    open_rows = (row for row in rows if row.stage not in (Posting.SENT, Posting.REPLACED))
    found = [_why(row, may_leave) for row in open_rows]
    return " ".join(dict.fromkeys(filter(None, found)))


def _why(row: Message, may_leave: bool | None) -> str:
    """Say why a mail has not left."""
    post = departures.post()
    if row.state in SET_ASIDE:
        return _sentences(row.problems)
    if row.stage == Posting.NEW and post.redirect and row.sent_to != post.redirect:
        return french(REDIRECTED)
    if row.stage == Posting.NEW and not (is_approved() if may_leave is None else may_leave):
        return french(UNAPPROVED)
    if not row.answers:
        return ""
    last = talks.quoted(row.answers[-1]["code"], row.answers[-1]["words"])
    if row.stage == Posting.UNCERTAIN:
        return f"{french(SOUGHT)} {last}."
    return f"{french('Dernière réponse :')} {last}. Un nouvel essai suivra."


def _sentences(problems: list[list[str]]) -> str:
    told = (" ".join(filter(None, (what, remedy))) for what, _, remedy in problems)
    return " ".join(text[:1].upper() + text[1:] for text in told)


def _remedy(delivery: Delivery) -> str:
    return {
        Posting.HELD: "Il est retenu\u00a0: laissez-le partir.",
        Posting.UNCERTAIN: "Dites s’il est arrivé.",
        Posting.SENT: "Il est envoyé.",
        Posting.REPLACED: "Une version plus récente le remplace.",
    }.get(Posting(delivery.stage), "Suivez-le.")


def _retried(row: Delivery, by: str) -> bool:
    if row.stage in (Posting.HELD, Posting.REPLACED):
        return False
    mails = _held_mails(row)
    redirect = departures.post().redirect
    is_past_trial = row.is_test and mails and redirect != mails[0].sent_to
    is_delayed = row.state == State.WAITING and row.delayed_until
    if row.state in SET_ASIDE or is_past_trial or is_delayed:
        stages.compose_again(row, departures.recipient(row))
        return True
    done = [messages.retry(each, by) for each in mails]
    return any(done)


def _held_mails(row: Delivery) -> list[Message]:
    return list(stages.mails(row).select_for_update(of=("self",)))


def _digest(back: Return) -> str:
    """Give the digest of what a signed file was bound from: its sides, never a date."""
    names = ("side", "origin", "scan", "number", "sha256", "turned")
    told = [[each.get(name) for name in names] for each in back.sources]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _doubts(back: Return) -> Iterator[Problem]:
    """Tell why somebody should look at a document before it leaves."""
    number = bytes(back.number).hex()
    if (found := returns.expected([number]).get(number)) and found.state in STANDS:
        yield Problem(STANDS[found.state], "", REMEDY)
    for what, zones in ((UNSIGNED, back.unsigned), (UNSEEN, back.unseen)):
        for each in zones:
            text = french(what.format(zone=each["zone"]))
            yield Problem(text, f"face{NBSP}{each['side']}", REMEDY)


def _address() -> tuple[str, list[Problem]]:
    try:
        return departures.mailbox(), []
    except InvalidInput as error:
        return "", list(error.problems)


def _look_again(row: Delivery, back: Return, problems: list[Problem]) -> None:
    """Look again at why the last delivery is held: the same sides were bound again."""
    if row.stage != Posting.HELD:
        return
    problems += _address()[1]
    if problems:
        Delivery.objects.filter(pk=row.pk).update(problems=claims.as_lists(problems))
        return
    stages.compose_again(row, departures.recipient(row))
