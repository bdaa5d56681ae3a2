"""Mails handed over, one by one: marked before a server is called, settled by what it answered.

    new → sending → sent | refused | uncertain

`sending` is in the database before the server is called. Whoever finds it there, or `uncertain`,
looks the Message-ID up before anything is sent again. A person settles what cannot be looked up.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from docgen.backoffice import bulk, claims, departures, letters, queue, stages, talks
from docgen.backoffice.models import Delivery, Message, School, State
from docgen.backoffice.models.deliveries import Posting
from docgen.backoffice.post import Post, address_fault
from docgen.backoffice.posting import Answer, Order
from docgen.errors import InvalidInput, Problem
from docgen.mailing.letter import Automatic, Words

LONGEST = 3600  # seconds between two tries, or two looks
MOST_DOUBLED = 12
DOUBTED = Coalesce(F("doubted_at"), Now())
TO_LOOK_UP = (Posting.SENDING, Posting.UNCERTAIN)
UNSURE = Problem(
    "ce message a été remis, et la réponse du serveur n’est pas venue.",
    "",
    "Demandez à son destinataire s’il l’a reçu, puis tranchez.",
)


@dataclass(frozen=True, slots=True)
class Step:
    """What is next for a mail: handing it over or, without an order, looking it up.

    `since` is when it was first handed over with a doubt that lasts.
    """

    message_id: str
    since: datetime | None = None
    order: Order | None = None


def write(
    kind: str,
    key: str,
    school: School,
    words: Words,
    *,
    in_reply_to: str = "",
    automatic: Automatic = "auto-generated",
) -> Message | None:
    """Write a mail to a school; the same key is the same mail. None when it has no usable address.

    Call it in a transaction, or outside of any: the mail leaves once it is kept.
    """
    known = Message.objects.filter(key=key).first()
    if known or address_fault(school.email):
        return known
    at = timezone.now().isoformat(timespec="seconds")
    told = {"text": words.text, "in_reply_to": in_reply_to, "automatic": automatic, "at": at}
    facts = {"key": key, "subject": words.subject, "told": told}
    written = letters.written(Message(**facts), school.email)
    with transaction.atomic():
        row, is_new = Message.objects.get_or_create(
            key=key, defaults={"kind": kind, "school": school, **facts, **written}
        )
        if is_new:
            transaction.on_commit(lambda: queue.ring(queue.SEND, [row.pk]))
    return row


def begin(row: Message) -> Step | None:
    """Decide what is next for a mail that was claimed; None when it waits.

    `sending` is in the database once this returns. `row.stage` then tells the handing over from
    the looking up, whatever is in the database.
    """
    if row.stage in TO_LOOK_UP:
        row.stage = Posting.UNCERTAIN
        if _can_look_up(row):
            claims.note(row, doubted_at=DOUBTED)
            return Step(row.message_id, talks.first_try(row))
        with _changing(row):
            _suspect(row, row.answers)
        return None
    if row.told:
        _follow(row)
    try:
        path = letters.file(row.sha256)
    except FileNotFoundError:
        _compose_again_or_fail(row)
        return None
    with _changing(row) as delivery:
        # Whoever lost its claim decides nothing: what it holds of the mail is out of date.
        if not claims.renew(row) or not _may_leave(row, delivery):
            return None
        if not claims.note(row, stage=Posting.SENDING, tried_at=Now(), doubted_at=None):
            return None
        row.refresh_from_db(fields=("tried_at",))
        row.stage = Posting.SENDING
    order = Order(path, row.message_id, departures.post().sender, row.sent_to)
    return Step(row.message_id, order=order)


def finish(row: Message, answer: Answer) -> bool:
    """Record what a server answered; False when the claim was lost."""
    post, told = departures.post(), talks.told(row, answer.verdict, answer.code, answer.words)
    with _changing(row):
        if answer.verdict == "accepted":
            facts = {"stage": Posting.SENT, "sent_at": Now(), "answers": told, "problems": []}
            return claims.finish(row, **facts)
        if answer.verdict == "uncertain":
            return _suspect(row, told)
        if answer.verdict == "later" and not talks.is_over(told, post.give_up):
            seconds = max(_spaced(post.retry, row.delays), 0.001)
            return claims.delay(row, seconds, stage=Posting.NEW, answers=told)
        return claims.fail(row, [talks.refusal(told)], stage=Posting.REFUSED, answers=told)


def looked_up(row: Message, found: str, words: str = "") -> bool:
    """Record whether a mail was found where it went; False when the claim was lost.

    What is absent was never accepted, once a grace is over: it is sent again, as it is.
    """
    post, told = departures.post(), talks.told(row, found, words=words)
    with _changing(row):
        if found == "found":
            sent_at = Coalesce(F("tried_at"), Now())
            facts = {"stage": Posting.SENT, "sent_at": sent_at, "answers": told, "problems": []}
            return claims.finish(row, **facts)
        if found == "absent" and _is_past_grace(row, post):
            if talks.is_over(told, post.give_up):
                return claims.fail(row, [talks.refusal(told)], stage=Posting.REFUSED, answers=told)
            return claims.again(row, stage=Posting.NEW, answers=told, delayed_until=None)
        return _suspect(row, told)


def broke_off(row: Message, *, is_said: bool, is_own_fault: bool) -> bool:
    """Record that a child ended before it answered; False when the claim was lost.

    `is_said`: it had said that it was about to send the final dot. Before that nothing was
    accepted.
    """
    if row.stage != Posting.SENDING:  # it was looking
        return claims.release(row, is_own_fault=is_own_fault)
    with _changing(row):
        if is_said:
            return _suspect(row, talks.told(row, "uncertain"))
        is_mine = claims.note(row, stage=Posting.NEW)
        return is_mine and claims.release(row, is_own_fault=is_own_fault)


def fail(row: Message, problems: list[Problem]) -> bool:
    """Record why a mail cannot be sent; False when the claim was lost."""
    stage = Posting.UNCERTAIN if row.stage in TO_LOOK_UP else Posting.REFUSED
    with _changing(row):
        return claims.fail(row, problems, stage=stage)


def retry(row: Message, by: str) -> bool:
    """Send a refused mail again, hurry one that waits, look an uncertain one up now.

    One that had been accepted, and came back, becomes another mail: it has another Message-ID.
    False when there is nothing to do. Who calls holds its delivery.
    """
    if row.stage in (Posting.SENT, Posting.REPLACED) or row.state == State.CLAIMED:
        return False
    changes: dict[str, Any] = {}
    if row.stage == Posting.REFUSED:
        changes = {"stage": Posting.NEW, "answers": talks.told(row, "retried", by=by)}
        if row.sent_at:
            changes |= letters.reopened(row)
    if row.stage == Posting.UNCERTAIN and not _can_look_up(row):
        return False
    return _put_back(row, **changes)


def settle(row: Message, by: str, *, is_sent: bool) -> bool:
    """Record what a person says of an uncertain mail: it arrived, or it did not and is sent again.

    False when it is not uncertain. Who calls holds its delivery.
    """
    is_stuck = row.stage == Posting.SENDING and row.state == State.QUARANTINED
    if row.stage != Posting.UNCERTAIN and not is_stuck:
        return False
    answers = talks.told(row, "arrived" if is_sent else "not-arrived", by=by)
    if not is_sent:  # under another name: a trace of this one would be taken for it
        renamed: dict[str, Any] = {"opening": row.opening + 1, "doubted_at": None}
        with suppress(InvalidInput):  # its file is lost: it is composed anew
            renamed = letters.reopened(row)
        return _put_back(row, stage=Posting.NEW, answers=answers, **renamed)
    return _arrived(row, answers)


def bounced(message_id: str, status: str, words: str, *, action: str = "failed") -> bool:
    """Record a notice about a mail of ours (RFC 3464); False when it is none of ours.

    One that failed is refused again: it can be sent anew. The others prove that a server had it.
    """
    with transaction.atomic():
        row = Message.objects.filter(message_id=message_id).first()
        if row is None:
            return False
        delivery = stages.held(row.delivery_id) if row.delivery_id else None
        row = Message.objects.select_for_update().get(pk=row.pk)
        answers = talks.told(row, "bounced" if action == "failed" else action, words=words)
        if action in talks.NOTICES and _is_doubted(row):
            _arrived(row, answers)
            if delivery:
                stages.sum_up(delivery)
            return True
        if action != "failed" or row.stage in (Posting.REFUSED, Posting.REPLACED):
            Message.objects.filter(pk=row.pk).update(answers=answers)
            return True
        _change(
            row,
            stage=Posting.REFUSED,
            sent_at=Coalesce(F("sent_at"), F("tried_at"), Now()),  # it had been accepted
            state=State.FAILED,
            finished_at=Now(),
            answers=answers,
            problems=claims.as_lists([talks.return_of(status, words)]),
        )
        if delivery:
            delivery.bounced_at = timezone.now()
            delivery.save(update_fields=("bounced_at",))
            stages.sum_up(delivery, "delivery-bounced")
    return True


@contextmanager
def _changing(row: Message) -> Iterator[Delivery | None]:
    """Hold the delivery of a mail while it changes, and sum it up after that."""
    with transaction.atomic():
        delivery = stages.held(row.delivery_id) if row.delivery_id else None
        yield delivery
        if delivery:
            stages.sum_up(delivery)


def _may_leave(row: Message, delivery: Delivery | None) -> bool:
    """Tell whether a mail leaves now; else it waits, or is composed anew for whom it is by now."""
    post = departures.post()
    if delivery and not stages.has_left(delivery):
        wanted = departures.recipient(delivery)
        if row.key != f"{departures.key(delivery, wanted)}.{row.part}":
            stages.compose_again(delivery, wanted)
            return False
    # Parts that left go with those that follow: they are for the same address.
    if row.sent_to != (post.redirect or row.recipient):
        claims.again(row, delayed_until=claims.later(departures.PATIENCE))
        return False
    is_region = delivery is not None and delivery.role == Delivery.Role.REGION
    if departures.is_approved(row.recipient if is_region else ""):
        return True
    _wait_for_approval(row)
    return False


def _wait_for_approval(row: Message) -> None:
    """Give a mail back for a while, and all others with it: what holds it back holds them too."""
    later = claims.later(departures.PATIENCE)
    claims.again(row, delayed_until=later)
    waiting = Message.objects.filter(state=State.WAITING, stage=Posting.NEW)
    due = waiting.filter(Q(delayed_until=None) | Q(delayed_until__lte=Now()))
    free = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True))
    for chunk in bulk.chunks(free):
        Message.objects.filter(pk__in=chunk).update(delayed_until=later)


def _can_look_up(row: Message) -> bool:
    """Tell whether a Message-ID can be looked up: the region's mailbox shows its own mail alone."""
    post = departures.post()
    if post.smtp is None or isinstance(post.proof, Path):
        return True
    is_region = row.delivery is not None and row.delivery.role == Delivery.Role.REGION
    return post.proof is not None and is_region and row.sent_to == row.recipient


def _suspect(row: Message, answers: list[dict[str, Any]]) -> bool:
    """Put a mail that may have left aside, until it is looked up or somebody knows."""
    facts = {"stage": Posting.UNCERTAIN, "answers": answers, "doubted_at": DOUBTED}
    if not _can_look_up(row):
        return claims.fail(row, [UNSURE], **facts)
    spaced = _spaced(max(departures.post().retry, 1), talks.looks(answers))
    return claims.again(row, delayed_until=claims.later(spaced), **facts)


def _is_past_grace(row: Message, post: Post) -> bool:
    if post.smtp is None:  # a file is there or not
        return True
    # Not since the try began: a server may take its time, and a worker may have died much later.
    mail = Message.objects.filter(pk=row.pk)
    return not mail.filter(doubted_at__gt=claims.later(-post.grace)).exists()


def _spaced(seconds: int, times: int) -> float:
    return float(min(seconds << min(times, MOST_DOUBLED), LONGEST))


def _is_doubted(row: Message) -> bool:
    """Tell whether a mail may have been accepted, as far as is known here."""
    return row.stage in TO_LOOK_UP or (row.stage == Posting.NEW and row.doubted_at is not None)


def _arrived(row: Message, answers: talks.Talk) -> bool:
    """Record from outside that a mail was accepted."""
    return _change(
        row,
        stage=Posting.SENT,
        sent_at=Coalesce(F("tried_at"), Now()),
        state=State.DONE,
        finished_at=Now(),
        answers=answers,
        problems=[],
    )


def _put_back(row: Message, **changes: object) -> bool:
    usual: dict[str, Any] = {
        "state": State.WAITING,
        "delayed_until": None,
        "finished_at": None,
        "problems": [],
    }
    counts = {"deaths": 0, "lost": 0, "delays": 0}
    if not _change(row, **{**usual, **counts, **changes}):
        return False
    transaction.on_commit(lambda: queue.ring(queue.SEND, [row.pk]))
    return True


def _change(row: Message, **changes: object) -> bool:
    """Change a mail from outside: whoever holds its claim loses it."""
    rows = Message.objects.filter(pk=row.pk, token=row.token)
    return rows.update(token=F("token") + 1, **changes) == 1


def _follow(row: Message) -> None:
    """Write a receipt or a reminder anew, if it is for another address by now, or from another."""
    school = row.school
    wanted = departures.address(school, row.recipient) if school else row.recipient
    written = letters.written(row, wanted)
    if written["sha256"] != row.sha256 and claims.note(row, **written):
        row.__dict__.update(written)


def _compose_again_or_fail(row: Message) -> None:
    """Have a mail whose file is lost composed anew, if nothing of its delivery left."""
    with _changing(row) as delivery:
        if not claims.renew(row):
            return
        if delivery and not stages.has_left(delivery):
            stages.compose_again(delivery, departures.recipient(delivery))
        else:
            claims.fail(row, [letters.GONE], stage=Posting.REFUSED)
