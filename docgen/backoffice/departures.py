"""What may leave, and to whom: the region's mailbox as of today, the one redirection, the approval.

With a server and without a redirection, nothing leaves before somebody has looked at what would be
sent and approved this way: server, sender and mailbox. Another way asks again.
"""

import hashlib

from django.conf import settings
from django.db import transaction

from docgen.backoffice import queue
from docgen.backoffice.events import tell
from docgen.backoffice.models import Approval, Delivery, Message, School, State
from docgen.backoffice.models.deliveries import Posting
from docgen.backoffice.post import Post, address_fault
from docgen.datafolder import data_folder
from docgen.errors import InvalidInput, Problem
from docgen.region import FILE, read_region

PATIENCE = 600  # seconds until what may not leave is looked at again
AT_ONCE = 100  # bells for what was approved; the sweeper rings for the rest


def post() -> Post:
    """Give how mail leaves and comes."""
    found: Post = settings.POST
    return found


def mailbox() -> str:
    """Give the region's mailbox, as it is set today.

    Raises:
        InvalidInput: when there is none that a mail can be sent to.
    """
    found = read_region(None, data_folder()).mailbox
    if fault := address_fault(found):
        raise InvalidInput(Problem(fault, f"{FILE}, mailbox", "Corrigez la boîte de la Région."))
    return found


def recipient(delivery: Delivery) -> str:
    """Give whom a delivery would be for if it were planned now; the one it has when that is gone.

    Mail that has not left follows a mailbox, or a school's address, that was changed; but not to
    where the same document goes already, as what the region is sent, or as its copy.
    """
    if delivery.role == Delivery.Role.COPY:
        wanted = address(delivery.school, delivery.recipient)
    else:
        try:
            wanted = mailbox()
        except InvalidInput:
            return delivery.recipient
    same = Delivery.objects.filter(attestation=delivery.attestation_id, version=delivery.version)
    others = same.exclude(pk=delivery.pk).filter(recipient__iexact=wanted)
    return delivery.recipient if others.exists() else wanted


def address(school: School, usual: str) -> str:
    """Give a school's address, or the usual one when it has none that a mail can be sent to."""
    return usual if address_fault(school.email) else school.email


def key(delivery: Delivery, to: str) -> str:
    """Name the mails of a delivery to somebody, as they would be composed now."""
    way = post()
    told = f"{to}\0{way.redirect}\0{way.sender}"
    return f"{delivery.pk.hex}.{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def is_approved(to: str = "") -> bool:
    """Tell whether mail may leave: towards a mailbox, the region's if none is given."""
    way = post()
    if way.smtp is None or way.redirect:
        return True
    try:
        return Approval.objects.filter(way=way.way(to or mailbox())).exists()
    except InvalidInput:
        return False


def approve(by: str) -> None:
    """Let mail leave by the way that is set: somebody has looked at what would be sent.

    Raises:
        InvalidInput: without a mailbox of the region.
    """
    way = post().way(mailbox())
    with transaction.atomic():
        _, is_new = Approval.objects.get_or_create(way=way, defaults={"by": by})
        if is_new:
            tell("post-approved", "post", actor=by)
        waiting = Message.objects.filter(state=State.WAITING, stage=Posting.NEW)
        waiting.filter(delayed_until__isnull=False).update(delayed_until=None)
        ids = list(waiting.order_by("priority", "id").values_list("pk", flat=True)[:AT_ONCE])
        transaction.on_commit(lambda: queue.ring(queue.SEND, ids))
