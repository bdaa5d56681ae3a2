"""A signed attestation without paper, and a mail server without a network, for tests of the post.

The rows are real ones. What a printer and a scanner would bring is told outright; the server keeps
or loses what it is handed, and knows what it kept.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, Literal, TypeAlias

from django.conf import settings
from django.db import transaction
from django.db.models import F

from docgen.backoffice import deliveries, models
from docgen.backoffice.post import Post, Server
from docgen.backoffice.posting import Answer, Order
from tests.service import homecoming, town
from tests.service.test_attestations import handed, issue

MAILBOX, TRIAL = "attestations@region.example", "essai@region.example"
SMTP = Server("mail.region.example", 25, "")
PROOF = Path("/var/log/mail.log")
SLOW = 500  # seconds until a mail shows where it went: less than the grace
SLUG = "attestation-cession"
# `kept` and `lost`: without an answer, after the final dot.
Fate: TypeAlias = Literal["accepted", "later", "refused", "kept", "lost"]


def post(**changes: Any) -> Post:  # noqa: ANN401
    """Give settings of the post: a server, and its log to look a mail up in."""
    given = {
        "smtp": SMTP,
        "sender": "docgen@region.example",
        "proof": PROOF,
        "grace": 900,
        **changes,
    }
    return Post(settings.DATA / "courrier", **given)


def region(mailbox: str = MAILBOX) -> None:
    """Give the region a mailbox."""
    lines = ['name = "Région d’Exemple"', 'service = ["Service"]', f'mailbox = "{mailbox}"']
    lines += ['address = ["1, place de la Mairie"]', 'postal = ["REGION", "75001 PARIS"]']
    (settings.DATA / "region.toml").write_text("\n".join(lines), encoding="utf-8")


def signed(school: models.School | None = None, sides: int = 2) -> models.Return:
    """Give an attestation that came home signed: its issue is real, its scan is told."""
    school = school or town.school()
    handed(school, 1)
    row = issue(school)
    number = hashlib.sha256(str(row.public_id).encode()).digest()[:6]
    facts = {"number": number, "school": school, "slug": SLUG, "title": "Attestation"}
    facts |= {"reference": "AT-TEST-TEST", "sides": sides, "needed": [1]}
    paper = models.Paper.objects.create(
        **facts, width=595.0, height=842.0, sha256="", is_mailed=True, attestation=row
    )
    return bound(models.Return.objects.create(**facts, paper=paper))


def bound(back: models.Return, *, mark: str = "a", **changes: object) -> models.Return:
    """Bind a document from sides that have this mark; the same mark is the same sides."""
    content = f"%PDF-1.7 {back.reference} {mark}".encode()
    back.sha256, back.size = homecoming.kept(content), len(content)
    back.sources = [
        {"side": side, "origin": "scan", "scan": mark, "number": side, "sha256": mark, "turned": 0}
        for side in range(1, back.sides + 1)
    ]
    back.stage, back.unsigned, back.unseen = models.Return.Stage.BOUND, [], []
    for name, value in changes.items():
        setattr(back, name, value)
    back.version += 1
    back.bound_version = back.version
    back.save()
    return back


def plan(back: models.Return) -> models.Delivery | None:
    """Plan the mailing of what was bound, as bindings do."""
    with transaction.atomic():
        return deliveries.plan(back)


def pass_time(seconds: float) -> None:
    """Let time pass for deliveries and mails: all their moments move back."""
    gone = timedelta(seconds=seconds)
    for model in (models.Delivery, models.Message):
        for name in ("lease_until", "delayed_until"):
            rows = model._default_manager.filter(**{f"{name}__isnull": False})
            rows.update(**{name: F(name) - gone})
    moved = {name: F(name) - gone for name in ("tried_at", "doubted_at")}
    models.Message.objects.update(**moved)
    for row in models.Message.objects.exclude(answers=[]):
        for each in row.answers:
            for name in {"since", "first"} & set(each):
                each[name] = (datetime.fromisoformat(each[name]) - gone).isoformat()
        models.Message.objects.filter(pk=row.pk).update(answers=row.answers)


@dataclass
class Copy:
    """A mail that the server kept: what it is of, for whom, how long ago, whether it came back.

    `is_denied`: somebody says that it never came.
    """

    message_id: str
    recipient: str
    place: tuple[object, ...]
    seconds: float = 0
    is_back: bool = False
    is_denied: bool = False


@dataclass
class House:
    """A server that keeps or loses what it is handed."""

    copies: list[Copy] = field(default_factory=list)

    def send(self, order: Order, fate: Fate, place: tuple[object, ...]) -> Answer:
        """Answer as fate has it: only what is accepted or kept is there afterwards."""
        if fate == "later":
            return Answer("later", 451, "4.3.0 plus tard")
        if fate == "refused":
            return Answer("refused", 550, "5.1.1 inconnu")
        mail = message_from_bytes(order.path.read_bytes(), policy=policy.default)
        assert (mail["To"], mail["Message-ID"]) == (order.recipient, order.message_id)
        if fate != "lost":
            self.copies.append(Copy(order.message_id, order.recipient, place))
        return Answer("accepted", 250, "2.0.0 ok") if fate == "accepted" else Answer("uncertain")

    def took(self, message_id: str) -> bool:
        """Tell whether a mail was kept."""
        return any(each.message_id == message_id for each in self.copies)

    def shows(self, message_id: str) -> bool:
        """Tell whether a mail can be found by now; one that came back had been there."""
        found = (each.seconds for each in self.copies if each.message_id == message_id)
        return any(seconds >= SLOW for seconds in found)

    def known(self) -> list[Copy]:
        """Give the mails that a notice may be about; of one that was denied, it is another's."""
        return [each for each in self.copies if not each.is_denied]

    def standing(self) -> Counter[tuple[object, ...]]:
        """Count, for each place, the mails that neither came back nor were denied."""
        return Counter(
            (*each.place, each.recipient)
            for each in self.copies
            if not each.is_back and not each.is_denied
        )

    def deny(self, message_id: str) -> None:
        """Believe somebody who says that a mail never came."""
        for each in self.copies:
            each.is_denied |= each.message_id == message_id
