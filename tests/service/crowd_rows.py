"""What crowds are made of: how many of each, and rows like another one."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model

from docgen.backoffice import models
from tests.service.world import Facts

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows of each a school has; `sides` of a scan, `volumes` and `documents` of a job."""

    people: int = 3
    cessions: int = 2
    loans: int = 2
    jobs: int = 2
    volumes: int = 2
    documents: int = 2  # of a volume
    attestations: int = 2
    scans: int = 2
    sides: int = 3
    papers: int = 2
    mails: int = 2
    reminders: int = 2
    events: int = 4
    accounts: int = 2


class Crowd:
    """Makes rows like those that the facts of a school name."""

    def __init__(self, like: Facts, seed: int = 7) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - a made-up crowd
        self.like, self.made = like, 0
        school = like["uai"]
        self.school = models.School.objects.get(pk=school)
        self.person = models.Person.objects.get(pk=like["person"])
        self.loan = models.Loan.objects.get(pk=like["loan"])
        self.job = models.PrintJob.objects.get(pk=like["job"])
        self.volume = self.job.volumes.get(number=1)
        self.document = self.volume.rows.order_by("position").first()
        self.attestation = models.Attestation.objects.get(public_id=like["attestation"])
        self.paper = models.Paper(
            school=self.school,
            slug="attestation-cession",
            title="Attestation de cession",
            reference="R000000000",
            sides=1,
            width=595,
            height=842,
            needed=[1],
            zones=[{"side": 1, "name": "chef", "label": "Signature", "box": [400, 700, 500, 760]}],
            sha256=self.volume.sha256,
            is_mailed=True,
            created_at=NOW,
        )
        self.back = models.Return.objects.get(pk=like["document"])
        self.scan = models.ScanBatch.objects.get(pk=like["scan"])
        self.part = self.scan.parts.order_by("pk").first()
        self.side = models.ScannedPage.objects.get(public_id=like["side"])
        self.delivery = models.Delivery.objects.get(pk=like["delivery"])
        self.message = self.delivery.messages.get(part=1)
        self.mail = models.Mail.objects.get(pk=like["mail"])
        self.conversion = models.Conversion.objects.get(public_id=like["convention"])

    def number(self) -> int:
        """Give a number that no row of this crowd has."""
        self.made += 1
        return self.made

    def day(self) -> date:
        """Give a day of the last months."""
        return NOW.date() - timedelta(self.rng.randrange(80))

    def moment(self) -> datetime:
        """Give a moment of the last months."""
        return NOW - timedelta(minutes=self.rng.randrange(80 * 24 * 60))

    def uuid(self) -> UUID:
        """Give an identifier."""
        return UUID(int=self.rng.getrandbits(128), version=4)


def like(row: M, **changes: Any) -> M:  # noqa: ANN401
    """Give a row like another one, and new."""
    facts = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    own = row._meta.pk.attname
    facts.pop(own)
    made = type(row)(**facts | changes)
    made._state.adding = True
    return made


def kept(rows: Iterable[M]) -> list[M]:
    """Write rows that others refer to."""
    made = list(rows)
    return type(made[0])._default_manager.bulk_create(made, batch_size=500) if made else []
