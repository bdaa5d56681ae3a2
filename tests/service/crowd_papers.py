"""The papers of a crowd: attestations on their way, what came home, scans, mails and reminders."""

from collections.abc import Iterable, Sequence
from typing import Any

from docgen.backoffice import bulk, models
from tests.service.crowd_rows import NOW, Crowd, Sizes, kept, like

BACK = ("bound", "bound", "bound", "complete", "partial", "empty")
OUTCOMES = ("unknown", "foreign", "unreadable", "duplicate", "blank", "discarded")
POSTED = ("sent", "sent", "sent", "new", "held", "refused", "uncertain")
KINDS = ("not-returned", "not-attested", "year-ends", "not-received")


def attestations_of(crowd: Crowd, school: models.School, sizes: Sizes) -> list[models.Paper]:
    """Issue attestations, and bring what they hold some of the way to the region."""
    rng, of, first = crowd.rng, {"school_id": school.pk}, school.attestations.count() + 1
    issued = kept(
        like(
            crowd.attestation,
            **of,
            public_id=crowd.uuid(),
            rank=first + index,
            number=first + index,
            finished_at=crowd.moment(),
        )
        for index in range(sizes.attestations)
    )
    held = models.Cession.objects.filter(school=school, cancelled_at=None)
    found = list(held.order_by("pk").values_list("serial", "person__internal_id"))
    done = set(models.AttestedCession.objects.filter(school=school).values_list("serial", "person"))
    free = [each for each in found if each not in done][: len(found) * 4 // 5]
    bulk.insert(
        [
            models.AttestedCession(attestation=rng.choice(issued), serial=one, person=two, **of)
            for one, two in free
            if issued
        ]
    )
    papers = kept(
        like(crowd.paper, **of, number=rng.randbytes(6), attestation_id=each.pk) for each in issued
    )
    bulk.insert(papers_of(crowd, issued, sizes.papers))
    for each in issued:
        deliveries_of(crowd, each)
        times = {"fetched_at": crowd.moment(), "posted_date": rng.choice((None, crowd.day()))}
        received = {"received_at": rng.choice((None, crowd.moment()))}
        models.Original.objects.create(attestation=each, **of, **times, **received)
    return papers


def papers_of(crowd: Crowd, issued: Iterable[models.Attestation], count: int) -> list[models.Paper]:
    """Give attestations more sheets: letters that go with them."""
    place = {"slug": "bordereau-envoi", "is_mailed": False}
    return [
        like(
            crowd.paper,
            **place,
            school_id=each.school_id,
            number=crowd.rng.randbytes(6),
            attestation_id=each.pk,
        )
        for each in issued
        for _ in range(count)
    ]


def deliveries_of(crowd: Crowd, attestation: models.Attestation, messages: int = 1) -> None:
    """Send an attestation to the region and to the school, in some mails."""
    version = attestation.deliveries.count() + 1
    for role in ("region", "copy"):
        stage = crowd.rng.choice(POSTED)
        place = {"attestation_id": attestation.pk, "school_id": attestation.school_id}
        who = {"role": role, "recipient": f"{role}@exemple.fr", "stage": stage}
        row = like(crowd.delivery, id=crowd.uuid(), version=version, **place, **who)
        kept([row])
        messages_of(crowd, row, messages)


def messages_of(crowd: Crowd, delivery: models.Delivery, count: int) -> None:
    """Give a delivery more mails."""
    first, rows = delivery.messages.count() + 1, []
    for index in range(count):
        row, part = crowd.uuid(), first + index
        own = {"id": row, "key": f"delivery:{row}", "message_id": f"<{row}@exemple.fr>"}
        where = {"school_id": delivery.school_id, "delivery_id": delivery.pk}
        rows.append(like(crowd.message, part=part, stage=delivery.stage, **own, **where))
    kept(rows)


def returns_of(
    crowd: Crowd,
    school: models.School,
    jobs: Sequence[models.PrintJob],
    papers: Sequence[models.Paper],
) -> list[models.Return]:
    """Bring home most attestations, and a third of the documents."""
    found = models.Document.objects.filter(volume__job__in=jobs).order_by("pk")
    printed = list(found.only("number", "reference", "person", "division"))
    rng, made = crowd.rng, []
    for row in [*printed[::3], *papers]:
        stage, own = rng.choice(BACK), {"school_id": school.pk, "id": crowd.uuid()}
        facts = {"number": row.number, "reference": row.reference, "person": row.person}
        at = {"created_at": crowd.moment(), "bound_at": crowd.moment(), "stage": stage}
        if isinstance(row, models.Paper):
            of = {"paper_id": row.pk, "document_id": None, "slug": row.slug, "title": row.title}
        else:
            of = {"paper_id": None, "document_id": row.pk, "division": row.division}
        made.append(like(crowd.back, **own, **facts, **at, **of))
    return kept(made)


def scan_of(
    crowd: Crowd, school: models.School, backs: Sequence[models.Return], sizes: Sizes
) -> None:
    own = {"id": crowd.uuid(), "sha256": f"{crowd.rng.getrandbits(256):064x}"}
    at = {"created_at": crowd.moment(), "read_at": crowd.moment()}
    (batch,) = kept([like(crowd.scan, school_id=school.pk, sides=sizes.sides, **own, **at)])
    sides_of(crowd, batch, backs, sizes.sides)


def sides_of(
    crowd: Crowd, batch: models.ScanBatch, backs: Sequence[models.Return], count: int
) -> None:
    """Give a scan more sides, most of them recognised; a step was taken about some others."""
    rng, first = crowd.rng, batch.pages.count()
    (part,) = kept([like(crowd.part, batch_id=batch.pk, first=first, last=first + count)])
    place = {"batch_id": batch.pk, "part_id": part.pk}
    rows = []
    for index in range(count):
        is_known = backs and rng.random() < 0.9
        back = rng.choice(backs).pk if is_known else None
        # More sides than the document has: none is taken twice.
        facts = {"outcome": "known", "side": 10 + crowd.number() % 30000, "back_id": back}
        if not is_known:
            facts = {"outcome": OUTCOMES[index % len(OUTCOMES)], "side": None, "back_id": None}
        own = {"public_id": crowd.uuid(), "index": first + index}
        rows.append(like(crowd.side, **place, **own, **facts))
    sides = kept(rows)
    bulk.insert([step for each in sides[::7] for step in steps_of(each, 1)])


def steps_of(side: models.ScannedPage, count: int) -> list[models.ReviewStep]:
    """Decide about a side, some times."""
    told: dict[str, Any] = {"before": {"outcome": "unknown"}, "after": {"outcome": "unknown"}}
    facts = {"action": "turn", "by": "user:1", "at": NOW, "undone_at": NOW}
    return [models.ReviewStep(page=side, **facts, **told) for _ in range(count)]


def post_of(crowd: Crowd, school: models.School, sizes: Sizes) -> None:
    """Have mails come and reminders go, conventions made and models given back."""
    rng, of = crowd.rng, {"school_id": school.pk}
    kept(
        like(crowd.mail, **of, id=crowd.uuid(), box=f"{crowd.number()}", created_at=crowd.moment())
        for _ in range(sizes.mails)
    )
    bulk.insert(
        [
            models.Reminder(
                **of,
                kind=KINDS[index % len(KINDS)],
                subject=f"{crowd.number()}",
                due_date=crowd.day(),
                counts={"cessions": 3},
                raised_at=crowd.moment(),
                attestation=rng.choice((None, crowd.attestation)) if index % 2 else None,
            )
            for index in range(sizes.reminders)
        ]
    )
    kept(like(crowd.conversion, **of, public_id=crowd.uuid()) for _ in range(sizes.loans))
    model = {"slug": "convention-pret-eleve", "sha256": crowd.volume.sha256, "accepted_at": NOW}
    bulk.insert([models.SchoolModel(**of, **model, accepted_by="test") for _ in range(2)])
