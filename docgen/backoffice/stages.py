"""Where a delivery is: the sum of where its mails are, told when it changes.

Whoever changes a mail of a delivery holds the delivery first (`held`), then the mail.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from docgen.backoffice import queue
from docgen.backoffice.events import tell
from docgen.backoffice.models import Delivery, Message, State
from docgen.backoffice.models.deliveries import Posting
from docgen.backoffice.post import address_fault

LEFT = (Posting.SENDING, Posting.SENT, Posting.UNCERTAIN)
TOLD = {
    Posting.SENT: "delivery-sent",
    Posting.REFUSED: "delivery-refused",
    Posting.UNCERTAIN: "delivery-uncertain",
}


def held(identifier: UUID) -> Delivery:
    """Hold a delivery until the transaction ends."""
    rows = Delivery.objects.select_for_update(of=("self",)).select_related("school", "attestation")
    return rows.get(pk=identifier)


def mails(delivery: Delivery) -> QuerySet[Message]:
    """Give the mails that a delivery is made of, part by part; not those that others replaced."""
    rows = Message.objects.filter(delivery=delivery).exclude(stage=Posting.REPLACED)
    return rows.order_by("part", "created_at")


def sum_up(delivery: Delivery, kind: str = "") -> None:
    """Write down where a delivery is by now, and tell it; who calls holds it.

    `kind` is the event, when it is not the usual one of a stage.
    """
    rows = list(mails(delivery))
    if not rows or delivery.stage in (Posting.HELD, Posting.REPLACED):
        return
    before, delivery.stage = delivery.stage, _sum(row.stage for row in rows)
    sent = [row.sent_at for row in rows if row.sent_at]
    delivery.sent_at = max(sent) if delivery.stage == Posting.SENT and sent else None
    delivery.save(update_fields=("stage", "sent_at", "changed_at"))
    if kind or (delivery.stage != before and delivery.stage in TOLD):
        say(kind or TOLD[Posting(delivery.stage)], delivery, parts=len(rows))
        if delivery.stage == Posting.SENT and delivery.role == Delivery.Role.REGION:
            copy(delivery)
    if not has_left(delivery) and _younger(delivery).exists():
        replace([delivery])


def say(kind: str, delivery: Delivery, by: str = "docgen", **facts: object) -> None:
    """Tell what happens to a delivery."""
    is_copy = delivery.role == Delivery.Role.COPY
    told = {"version": delivery.version, "is_copy": is_copy, "is_test": delivery.is_test, **facts}
    tell(kind, str(delivery.pk), school=delivery.school_id, actor=by, **told)


def has_left(delivery: Delivery) -> bool:
    """Tell whether anything of a delivery may have reached its recipient.

    What went to the address that all mail is redirected to reached nobody.
    """
    return mails(delivery).filter(stage__in=LEFT, sent_to=F("recipient")).exists()


def replace(deliveries: Iterable[Delivery]) -> None:
    """Put aside deliveries that a younger version replaces, and their mails; who calls holds them.

    One whose mail may have left stays.
    """
    for each in deliveries:
        if not has_left(each):
            _put_aside(each)
            Delivery.objects.filter(pk=each.pk).update(
                stage=Posting.REPLACED,
                state=State.CANCELLED,
                token=F("token") + 1,
                finished_at=Now(),
                changed_at=timezone.now(),
            )
            each.stage = Posting.REPLACED


def compose_again(delivery: Delivery, recipient: str) -> None:
    """Have the mails of a delivery composed anew, for whom it is now; who calls holds it."""
    _put_aside(delivery)
    Delivery.objects.filter(pk=delivery.pk).update(
        recipient=recipient,
        stage=Posting.NEW,
        state=State.WAITING,
        token=F("token") + 1,
        delayed_until=None,
        problems=[],
        sent_at=None,
        changed_at=timezone.now(),
    )
    transaction.on_commit(lambda: queue.ring(queue.COMPOSE, [delivery.pk]))


def copy(delivery: Delivery) -> None:
    """Plan the school's copy of what the region was sent, once; who calls holds it."""
    school = delivery.school
    found = {"attestation": delivery.attestation, "version": delivery.version}
    known = Delivery.objects.filter(**found, role=Delivery.Role.COPY).first()
    is_same = school.email.lower() == delivery.recipient.lower()
    if known is None:
        if address_fault(school.email) or is_same:
            return
        made = Delivery.objects.create(
            **found,
            school=school,
            back_id=delivery.back_id,
            role=Delivery.Role.COPY,
            recipient=school.email,
            sha256=delivery.sha256,
            pieces=delivery.pieces,
        )
        say("delivery-planned", made)
        transaction.on_commit(lambda: queue.ring(queue.COMPOSE, [made.pk]))
    elif known.is_test and not delivery.is_test:
        known = held(known.pk)
        is_kept = address_fault(school.email) or is_same
        compose_again(known, known.recipient if is_kept else school.email)


def _put_aside(delivery: Delivery) -> None:
    mails(delivery).update(
        stage=Posting.REPLACED, state=State.CANCELLED, token=F("token") + 1, finished_at=Now()
    )


def _younger(delivery: Delivery) -> QuerySet[Delivery]:
    same = Delivery.objects.filter(attestation=delivery.attestation_id, role=delivery.role)
    return same.filter(version__gt=delivery.version)


def _sum(stages: Iterable[str]) -> str:
    found = set(stages)
    for stage in (Posting.REFUSED, Posting.UNCERTAIN, Posting.SENDING):
        if stage in found:
            return stage
    # Parts that left and parts that wait: it is on its way.
    return found.pop() if len(found) == 1 else Posting.SENDING
