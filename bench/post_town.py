"""Signed attestations by the thousand, as they are once bound: rows, and a file of its own each.

Attestations are issued by the real rules and files are bound by the real binder, out of clean
copies, as piles that a scanner read are. Only the printing and the scanning are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from PIL import Image

from bench import farm_place
from docgen import attestations
from docgen.attestations import Attestation, Entry
from docgen.datafolder import data_folder, page_code_key
from docgen.pagecode import document_number, reference
from docgen.region import FILE, read_region
from docgen.scanning.merging import Binder, Facts, SideSource
from samples.people import serial_number
from samples.scanner import Scan, Truth
from samples.scanning_files import write_pdf
from tests.service.mailservers import REGION

if TYPE_CHECKING:
    from docgen.backoffice.models import Attestation as AttestationRow
    from docgen.backoffice.models import Paper, Return

SCHOOLS_AT = "ecole.example"
SLUG, TITLE = "attestation-cession", "Attestation de cession"
A_SCHOOL = 10  # attestations of each
FIRST_DAY, TODAY = date(2026, 9, 1), date(2026, 11, 16)
A4 = 595.28, 841.89  # points
SMALL = 60, 85  # pixels of a side that weighs next to nothing
LARGE, LARGE_SIDES = (600, 850), 4  # grain, which no JPEG makes small: some 400 kB a side
DPI, QUALITY = 72, 90
TRUTH = Truth("known", "", 0, 0, 0, 0.0, DPI, "pile", (), ())


@dataclass(frozen=True, slots=True)
class Issued:
    """An attestation of a school, and of how many sides it came home."""

    school: str
    attestation: Attestation
    sides: int


def come_home(count: int, large: int) -> "list[Return]":
    """Have so many attestations signed and bound, the last few of them large."""
    from docgen.backoffice import models, registers

    _tell_region()
    schools = [farm_place.school_of(n) for n in range(-(-count // A_SCHOOL))]
    for number, school in enumerate(schools, 1):
        registers.keep_school(replace(school, email=f"lycee-{number}@{SCHOOLS_AT}"), "bench")
    issued = list(_issued([school.uai for school in schools], count, large))
    region = msgspec.to_builtins(read_region(None, data_folder()))
    letterheads = {school.uai: msgspec.to_builtins(school) for school in schools}
    rows = models.Attestation.objects.bulk_create(
        models.Attestation(
            school_id=each.school,
            rank=each.attestation.rank,
            number=each.attestation.number,
            school_year=each.attestation.school_year,
            start_date=each.attestation.period.start,
            end_date=each.attestation.period.end,
            record=msgspec.to_builtins(each.attestation),
            region=region,
            letterhead=letterheads[each.school],
            requested_by="bench",
            state="done",
        )
        for each in issued
    )
    return _bound(_printed(rows, issued))


def _tell_region() -> None:
    """Write the region into the data folder: its mailbox is nobody's."""
    (data_folder() / FILE).write_text(
        f'name = "Région des Essais"\nmailbox = "{REGION}"\nservice = ["Direction des lycées"]\n'
        'address = ["1, place de l’Essai"]\npostal = ["Région des Essais", "13000 ESSAIS"]\n',
        encoding="utf-8",
    )


def _issued(schools: list[str], count: int, large: int) -> Iterator[Issued]:
    """Issue them: a school attests each day what it ceded that day."""
    entries, history = list[Entry](), list[Attestation]()
    for place in range(count):
        if place % A_SCHOOL == 0:
            entries, history = [], []
        day = FIRST_DAY + timedelta(place % A_SCHOOL)
        entries.append(Entry(serial_number(place), f"P{place}", "pupil", "2DE 1", day))
        school = schools[place // A_SCHOOL]
        period: dict[str, Any] = {"start": day, "end": day, "today": TODAY}
        made = attestations.issue(entries, school=school, previous=history, **period)
        history.append(made)
        yield Issued(school, made, LARGE_SIDES if place >= count - large else 1)


def _printed(rows: "list[AttestationRow]", issued: list[Issued]) -> "list[Paper]":
    from docgen.backoffice import models

    key = page_code_key(data_folder())
    numbers = [document_number(key, each.attestation.sha256) for each in issued]
    return models.Paper.objects.bulk_create(
        models.Paper(
            number=number,
            school_id=each.school,
            slug=SLUG,
            title=TITLE,
            reference=reference("AT", number),
            sides=each.sides,
            width=A4[0],
            height=A4[1],
            needed=list(range(1, each.sides + 1)),
            is_mailed=True,
            attestation=row,
        )
        for row, each, number in zip(rows, issued, numbers, strict=True)
    )


def _bound(papers: "list[Paper]") -> "list[Return]":
    """Scan each side, bind each paper, and keep the signed files."""
    from docgen.backoffice import models, store

    sides, now = sum(paper.sides for paper in papers), datetime.now(UTC)
    rows, place = [], 0
    with TemporaryDirectory() as folder, Binder() as binder:
        pile, target = Path(folder, "pile.pdf"), Path(folder, "signed.pdf")
        with pile.open("wb") as stream:
            write_pdf(stream, _scans(papers))
        for paper in papers:
            needed = tuple(paper.needed)
            facts = Facts(TITLE, paper.reference, paper.sides, needed, *A4, now)
            sources = [
                SideSource(side, pile, place + side - 1, label="pile", place=place + side)
                for side in needed
            ]
            place += paper.sides
            with target.open("wb") as stream:
                faces = binder.bind(sources, facts, None, stream).faces
            row = models.Return(
                number=paper.number,
                school_id=paper.school_id,
                reference=paper.reference,
                slug=SLUG,
                title=TITLE,
                paper=paper,
                sides=paper.sides,
                needed=paper.needed,
                stage="bound",
                version=1,
                bound_version=1,
                sources=[_source(face.side, face.place, face.sha256) for face in faces],
                sha256=store.keep(target),
                size=target.stat().st_size,
                bound_at=now,
            )
            rows.append(row)
    if place != sides:
        raise RuntimeError(f"{place} sides were bound of {sides}")
    return models.Return.objects.bulk_create(rows)


def _source(side: int, number: int, sha256: str) -> dict[str, Any]:
    """Tell where a side came from, as `bindings` does."""
    told = {"side": side, "origin": "scan", "scan": "pile", "number": number}
    return {**told, "sha256": sha256, "is_fitted": True}


def _scans(papers: "list[Paper]") -> Iterator[Scan]:
    chance = np.random.default_rng(1)
    for paper in papers:
        width, height = SMALL if paper.sides == 1 else LARGE
        for _ in range(paper.sides):
            grain = chance.integers(0, 256, (height, width), np.uint8)
            yield Scan(Image.fromarray(grain), DPI, QUALITY, 1, TRUTH)
