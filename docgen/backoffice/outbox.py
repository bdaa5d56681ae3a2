"""What is told to other programs: calls to make, written in the transaction of what they tell.

A call holds what happened, to what, in which school, and counts: never a name, never a value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from docgen.backoffice import gate, queue
from docgen.backoffice.models import (
    Attestation,
    Conversion,
    Delivery,
    Event,
    Hook,
    HookCall,
    Mail,
    PrintJob,
    Reminder,
    Return,
    ScanBatch,
    State,
)

TEST = "hook-test"
REST = 60  # seconds that a hook is left alone after it did not answer
NONE: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Subject:
    """What events are about: the table and column of its id, and the scope that may read it."""

    model: type[Model]
    column: str
    scope: str


JOB = Subject(PrintJob, "pk", "read:print-jobs")
ATTESTATION = Subject(Attestation, "public_id", "read:attestations")
SCAN = Subject(ScanBatch, "pk", "read:scans")
RETURN = Subject(Return, "pk", "read:scans")
MAIL = Subject(Mail, "pk", "read:mails")
DELIVERY = Subject(Delivery, "pk", "read:deliveries")
REMINDER = Subject(Reminder, "pk", "read:attestations")
CONVENTION = Subject(Conversion, "public_id", "read:conventions")
# What can be listened to.
SUBJECTS: dict[str, Subject] = {
    "job-ready": JOB,
    "job-failed": JOB,
    "job-cancelled": JOB,
    "job-released": JOB,
    "job-printed": JOB,
    "job-reopened": JOB,
    "attestation-issued": ATTESTATION,
    "attestation-ready": ATTESTATION,
    "attestation-failed": ATTESTATION,
    "convention-ready": CONVENTION,
    "convention-failed": CONVENTION,
    "scan-read": SCAN,
    "scan-refused": SCAN,
    "return-bound": RETURN,
    "return-incomplete": RETURN,
    "return-failed": RETURN,
    "delivery-held": DELIVERY,
    "delivery-sent": DELIVERY,
    "delivery-refused": DELIVERY,
    "delivery-uncertain": DELIVERY,
    "delivery-bounced": DELIVERY,
    "mail-quarantined": MAIL,
    "original-posted": ATTESTATION,
    "original-received": ATTESTATION,
    "reminder-raised": REMINDER,
}
KINDS = tuple(SUBJECTS)


def announce(event: Event) -> None:
    """Write a call for each hook that listens to an event and whose program may see it."""
    if event.kind not in SUBJECTS:
        return
    hooks = Hook.objects.filter(
        stopped_at=None, client__revoked_at=None, client__expires_at__gt=timezone.now()
    )
    write(
        [
            call(hook, event.kind, event.subject, event.school, event.facts)
            for hook in hooks.select_related("client").order_by("pk")
            if event.kind in hook.kinds and may_hear(hook, event.kind, event.subject)
        ]
    )


def call(
    hook: Hook, kind: str, subject: str, school: str = "", facts: Mapping[str, object] = NONE
) -> HookCall:
    """Give a call to make, not kept yet; of the facts, it tells the numbers."""
    now = timezone.now()
    numbers = {name: value for name, value in facts.items() if isinstance(value, int)}
    body = {
        "type": kind,
        "timestamp": now.isoformat(timespec="seconds"),
        "data": {"id": subject, "school": school, **numbers},
    }
    silent = HookCall.objects.filter(hook=hook, state=State.WAITING, delays__gt=0).exists()
    rest = now + timedelta(seconds=REST) if silent and kind != TEST else None
    return HookCall(hook=hook, kind=kind, body=body, delayed_until=rest)


def write(calls: Iterable[HookCall]) -> list[HookCall]:
    """Keep calls to make, and ring for them once they are kept."""
    made = HookCall.objects.bulk_create(calls)
    if made:
        transaction.on_commit(lambda: queue.ring(queue.CALL, [each.pk for each in made]))
    return made


def may_hear(hook: Hook, kind: str, subject: str) -> bool:
    """Tell whether the program behind a hook may see what an event is about."""
    if kind == TEST:
        return True
    about, who = SUBJECTS[kind], gate.actor(hook.client)
    rows = gate.visible(about.model, who).filter(**{about.column: subject})
    return about.scope in who.scopes and rows.exists()
