"""Scans as they are once read, without a scanner: batches whose readings are told outright."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from django.db import transaction
from PIL import Image

from docgen import records
from docgen.backoffice import models, print_jobs, registers, settling, store
from docgen.datafolder import data_folder, page_code_key
from docgen.press import prepare
from docgen.scanning.findings import Reading, Seen
from tests import helpers
from workers.print_jobs import print_volume

WIDTH, HEIGHT = 60, 90  # of pictures; their top left corner is black


def printed(row: models.School, count: int = 2, first_name: str = "Zoé") -> list[models.Document]:
    """Print the small charter for some people, once each; give its documents."""
    people = tuple(helpers.people(count, first_name=first_name))
    registers.keep_roster(row, "pupil", records.Roster(people, "2026-2027"), "test")
    roster, place = registers.roster(row, "pupil"), registers.school(row)
    order = helpers.order((), school=place, roster=roster, copies=1)
    made = prepare(order, page_code_key(data_folder()), data_folder() / "cache")
    job = print_jobs.create(made, "test")
    print_volume("1")
    return list(models.Document.objects.filter(volume__job=job).order_by("pk"))


def sides_of(document: models.Document) -> int:
    """Give how many sides a document has."""
    job = document.volume.job
    return job.sides // job.documents


def coded(document: models.Document, side: int, quality: float = 1.0) -> dict[str, Any]:
    """Tell a side that bears the codes of a document."""
    number = bytes(document.number).hex()
    quad = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
    codes = [
        Seen(document=number, side=side, sides=sides_of(document), corner=corner, quad=quad)
        for corner in (0, 1)
    ]
    return {"verdict": "coded", "codes": tuple(codes), "quality": quality}


BARE = {"verdict": "bare", "reason": "no-code", "quality": 1.0}
BLANK = {"verdict": "blank"}
FORGED = {"verdict": "foreign", "reason": "code-refused", "quality": 1.0}
BROKEN = {"verdict": "unreadable", "reason": "damaged-image"}


def came(
    school: models.School | None, sides: Iterable[dict[str, Any]], name: str = "pile.pdf"
) -> models.ScanBatch:
    """Keep a batch whose sides were read so, and have it sorted."""
    return settled(read(school, sides, name))


def read(
    school: models.School | None, sides: Iterable[dict[str, Any]], name: str = "pile.pdf"
) -> models.ScanBatch:
    """Keep a batch whose sides were read so."""
    told = list(sides)
    picture, count = jpeg(), models.ScanBatch.objects.count()
    readings = [
        Reading(
            index=index,
            width=600 if side is not BROKEN else 0,
            height=900,
            dpi=72.0,
            clean_page=index,
            preview=(index * len(picture), len(picture)) if side is not BROKEN else (0, 0),
            **side,
        )
        for index, side in enumerate(told)
    ]
    batch = models.ScanBatch.objects.create(
        school=school,
        sha256=f"{count:064}",
        size=1,
        label=name,
        source="api",
        kind="pdf",
        sides=len(told),
        requested_by="test",
    )
    models.ScanPart.objects.create(
        batch=batch,
        first=0,
        last=len(told),
        state="done",
        done=len(told),
        readings=msgspec.to_builtins(readings),
        copy=kept(b"%PDF-1.7 a clean copy " + str(count).encode()),
        previews=kept(picture * len(told)),
    )
    return batch


def settled(batch: models.ScanBatch) -> models.ScanBatch:
    """Have a batch sorted, as when its last part was read."""
    with transaction.atomic():
        settling.settle(batch)
    batch.refresh_from_db()
    return batch


def pages(batch: models.ScanBatch) -> list[models.ScannedPage]:
    """Give the sides of a batch in their order."""
    return list(batch.pages.order_by("index"))


def outcomes(batch: models.ScanBatch) -> list[str]:
    """Give what the sides of a batch are, in their order."""
    return [str(page.outcome) for page in pages(batch)]


def back_of(document: models.Document) -> models.Return:
    """Give the document that comes home."""
    return models.Return.objects.get(number=bytes(document.number))


def jpeg() -> bytes:
    """Give a picture, white but for a black corner at the top left."""
    image = Image.new("L", (WIDTH, HEIGHT), 255)
    image.paste(0, (0, 0, WIDTH // 2, HEIGHT // 2))
    stream = BytesIO()
    image.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def kept(content: bytes) -> str:
    """Put bytes into the store."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "content")
        path.write_bytes(content)
        return store.keep(path)


def facts(school: models.School, job: models.PrintJob, mark: str) -> dict[str, Any]:
    """Give a school scans, one of whose sides awaits somebody, and a signed document."""
    first, *_ = models.Document.objects.filter(volume__job=job).order_by("pk")
    batch = came(school, [coded(first, 1), BARE], f"{mark}.pdf")
    signed = kept(f"%PDF-1.7 {mark}".encode())
    models.Return.objects.filter(school=school).update(sha256=signed, stage="bound")
    return {
        "scan": str(batch.pk),
        "first": 0,
        "side": str(pages(batch)[1].public_id),
        "document": str(back_of(first).pk),
        "reference": first.reference,
    }
