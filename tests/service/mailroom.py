"""Deliveries as they are once composed, without paper or a server: rows told outright."""

from datetime import date
from io import BytesIO
from typing import Any

from django.utils import timezone
from pypdf import PdfWriter

from docgen.backoffice import attestations, models
from tests.service import homecoming
from tests.service.test_attestations import handed, issue

ANSWER = {
    "at": "2026-10-05T08:00:00+00:00",
    "verdict": "refused",
    "code": 550,
    "words": "5.1.1 no such user",
}
EMPTY = ["la case « Signature » est vide.", "face 1", "Regardez le document."]
REFUSAL = ["le serveur a refusé ce message.", "", "Corrigez, puis relancez."]
STATES = {"new": "waiting", "refused": "failed", "uncertain": "failed"}
EML = (
    "Subject: =?utf-8?q?Attestation_sign=C3=A9e?=\r\nTo: {}\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\nBonjour, voici l’attestation.\r\n"
)


def attestation(school: models.School) -> models.Attestation:
    """Give an attestation of the school, issued when it has none."""
    if found := models.Attestation.objects.filter(school=school).first():
        return found
    if not models.Cession.objects.filter(school=school).exists():
        handed(school, 1)
        return issue(school)
    period = date(2026, 9, 1), date(2026, 9, 30), date(2026, 10, 1)
    return attestations.issue(school, *period, "test")


def signed(title: str) -> bytes:
    """Give a signed file of one empty side."""
    writer, stream = PdfWriter(), BytesIO()
    writer.add_blank_page(595, 842)
    writer.add_metadata({"/Title": title})
    writer.write(stream)
    return stream.getvalue()


def delivery(school: models.School, stage: str = "sent", **changes: Any) -> models.Delivery:  # noqa: ANN401
    """Give a delivery and its one mail, at a stage; nothing of it waits for a worker."""
    row = attestation(school)
    count = models.Delivery.objects.count()
    facts = {"role": "region", "recipient": "region@exemple.fr", "version": count + 1, **changes}
    sent_at = timezone.now() if stage == "sent" else None
    made = models.Delivery.objects.create(
        attestation=row,
        school=school,
        sha256=homecoming.kept(signed(f"{school.pk} {count}")),
        pieces=f"{count:064}",
        stage=stage,
        state="failed" if stage == "held" else "done",
        problems=[EMPTY] if stage == "held" else [],
        sent_at=sent_at,
        **facts,
    )
    content = EML.format(made.recipient).encode()
    models.Message.objects.create(
        kind="delivery",
        key=f"delivery:{made.pk}:1",
        school=school,
        delivery=made,
        recipient=made.recipient,
        sent_to=made.recipient,
        message_id=f"<{made.pk.hex}@docgen.exemple.fr>",
        subject=f"Attestation signée {school.pk}",
        sha256=homecoming.kept(content + str(count).encode()),
        size=len(content),
        stage="new" if stage == "held" else stage,
        state=STATES.get(stage, "done"),
        answers=[ANSWER] if stage in {"refused", "uncertain"} else [],
        problems=[REFUSAL] if stage in {"refused", "uncertain"} else [],
        sent_at=sent_at,
    )
    return made
