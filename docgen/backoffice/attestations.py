"""Attestations of cession: issued under the lock of their school, frozen, pressed by a worker.

The rules are those of `docgen.attestations`. The database holds them a second time: a cession that
is not withdrawn is on one attestation, whatever two requests do at the same moment.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from django.db import transaction
from django.db.models.functions import Now

from docgen import attestations, attesting, library, records
from docgen.attestations import Attestation, Entry, StockLine
from docgen.backoffice import claims, models, queue, registers, store
from docgen.backoffice.events import tell
from docgen.datafolder import data_folder, page_code_key
from docgen.errors import InvalidInput, Problem
from docgen.manifest import Manifest
from docgen.region import Region, read_region
from docgen.register import stock_left
from docgen.single import Filled

ROWS = 1000  # rows written at once
# The rules speak of the options of a command; here there is none.
REMEDIES = {
    "--withdraw": "Si elles ont été annulées ou corrigées, confirmez leur retrait.",
    "--on": "Vérifiez l’horloge du serveur.",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What an attestation would hold, or why it would be refused.

    `later` are the cessions that it leaves for another one, `already` counts those that older ones
    hold.
    """

    attestation: Attestation | None
    problems: tuple[Problem, ...]
    later: tuple[Entry, ...]
    already: int

    @property
    def undated(self) -> int:
        """Count what is left for want of a date."""
        return sum(entry.ceded_date is None for entry in self.later)

    @property
    def outside(self) -> int:
        """Count what is left because it happened on another day."""
        return len(self.later) - self.undated


def preview(
    school: models.School, start: date, end: date, today: date, *, withdraw: bool = False
) -> Preview:
    """Tell what the attestation of a period would hold; nothing is kept."""
    entries, before = _entries(school), history(school)
    found, problems = None, tuple[Problem, ...]()
    try:
        region = read_region(None, data_folder())
        period = {"start": start, "end": end, "today": today}
        found = _issued(school, entries, before, region, **period, withdraw=withdraw)
    except InvalidInput as error:
        problems = error.problems
    later = attestations.waiting(entries, [*before, found] if found else before)
    return Preview(found, problems, tuple(later), len(attestations.attested(before)))


def issue(
    school: models.School, start: date, end: date, today: date, by: str, *, withdraw: bool = False
) -> models.Attestation:
    """Issue the attestation of a period; its paper follows.

    `withdraw` confirms that attested cessions that were cancelled since are taken off.

    Raises:
        InvalidInput: with every reason to refuse it.
    """
    with transaction.atomic():
        school = models.School.objects.select_for_update().get(pk=school.pk)
        region = read_region(None, data_folder())
        entries, before = _entries(school), history(school)
        period = {"start": start, "end": end, "today": today}
        issued = _issued(school, entries, before, region, **period, withdraw=withdraw)
        row = models.Attestation.objects.create(
            school=school,
            rank=issued.rank,
            number=issued.number,
            school_year=issued.school_year,
            start_date=start,
            end_date=end,
            record=msgspec.to_builtins(issued),
            region=msgspec.to_builtins(region),
            letterhead=msgspec.to_builtins(registers.school(school)),
            requested_by=by,
        )
        _hold(row, issued)
        counts = {"cessions": len(issued.rows), "withdrawn": len(issued.withdrawn)}
        tell("attestation-issued", str(row.public_id), school=school.pk, actor=by, **counts)
        transaction.on_commit(lambda: queue.ring(queue.ATTEST, [row.pk]))
    return row


def history(school: models.School) -> list[Attestation]:
    """Give the attestations of a school, in the order in which they were issued."""
    rows = models.Attestation.objects.filter(school=school).order_by("rank")
    return [frozen(row) for row in rows]


def frozen(row: models.Attestation) -> Attestation:
    """Give what an attestation says."""
    return msgspec.convert(row.record, Attestation)


def press(row: models.Attestation, folder: Path) -> dict[str, Any]:
    """Write the papers of an attestation into a folder; give what is to be known of them.

    Raises:
        InvalidInput, LayoutOverflows: for what cannot be printed.
    """
    data = data_folder()
    school = msgspec.convert(row.letterhead, records.School)
    region = msgspec.convert(row.region, Region)
    papers = attesting.press(frozen(row), school, region, page_code_key(data), data / "cache")
    for name, content in papers.files.items():
        (folder / name).write_bytes(content)
    return {
        "names": list(papers.files),
        "references": papers.references,
        "pages": papers.pages,
        "papers": [
            _recognised(library.load(slug).manifest, papers.names[slug], filled)
            for slug, filled in papers.documents.items()
        ],
    }


def finish(row: models.Attestation, facts: dict[str, Any], files: dict[str, str]) -> bool:
    """Record the papers of an attestation; False when the claim was lost.

    Raises:
        FileNotFoundError: when one was dropped since it was kept.
    """
    with transaction.atomic():
        store.require(files.values())
        if not claims.finish(row, files=files, references=facts["references"], problems=[]):
            return False
        for paper in facts["papers"]:
            _expect(row, paper, files)
        pages = facts["pages"]
        tell("attestation-ready", str(row.public_id), school=row.school_id, pages=pages)
    return True


def fail(row: models.Attestation, problems: list[Problem]) -> bool:
    """Record why the papers of an attestation cannot be made: what it attests is frozen."""
    with transaction.atomic():
        if not claims.fail(row, problems):
            return False
        count = len(problems)
        tell("attestation-failed", str(row.public_id), school=row.school_id, problems=count)
    return True


def retry(row: models.Attestation, by: str) -> None:
    """Make papers that were refused, with the school and the region as they are corrected.

    Raises:
        InvalidInput: when the papers are there, or are being made.
    """
    with transaction.atomic():
        school = models.School.objects.select_for_update().get(pk=row.school_id)
        if not claims.try_again(row):
            what = "rien dans cette attestation n’attend d’être relancé."
            raise InvalidInput(Problem(what, "", "Suivez-la."))
        models.Attestation.objects.filter(pk=row.pk).update(
            letterhead=msgspec.to_builtins(registers.school(school)),
            region=msgspec.to_builtins(read_region(None, data_folder())),
        )
        tell("attestation-retried", str(row.public_id), school=school.pk, actor=by)
        transaction.on_commit(lambda: queue.ring(queue.ATTEST, [row.pk]))


def _recognised(manifest: Manifest, name: str, filled: Filled) -> dict[str, Any]:
    """Give what recognises a paper when it comes home, and tells where it is signed."""
    signed = {zone.name: zone for zone in manifest.signatures}
    return {
        "name": name,
        "number": filled.number.hex(),
        "slug": manifest.slug,
        "title": manifest.title,
        "reference": filled.reference,
        "sides": filled.sides,
        "width": filled.width,
        "height": filled.height,
        "needed": filled.needed,
        "is_mailed": manifest.mailed,
        "zones": [
            {
                "side": zone.side,
                "name": zone.name,
                "label": signed[zone.name].label,
                "box": [zone.x, zone.y, zone.width, zone.height],
                "required": signed[zone.name].required,
            }
            for zone in filled.zones
        ],
    }


def _expect(row: models.Attestation, paper: dict[str, Any], files: dict[str, str]) -> None:
    """Have a paper recognised; one that said something else stays known, and is the older."""
    facts = {key: value for key, value in paper.items() if key not in {"name", "number"}}
    models.Paper.objects.update_or_create(
        number=bytes.fromhex(paper["number"]),
        defaults={
            **facts,
            "school_id": row.school_id,
            "attestation": row,
            "sha256": files[paper["name"]],
            "created_at": Now(),
        },
    )


def _issued(
    school: models.School,
    entries: list[Entry],
    before: list[Attestation],
    region: Region,
    *,
    start: date,
    end: date,
    today: date,
    withdraw: bool,
) -> Attestation:
    problems = list(_mistaken(entries, before))
    try:
        found = attestations.issue(
            entries,
            school=school.pk,
            start=start,
            end=end,
            previous=before,
            today=today,
            stock=_stock(school, entries),
            withdraw=withdraw,
        )
    except InvalidInput as error:
        raise InvalidInput(chain(problems, map(_without_options, error.problems))) from error
    if problems:
        raise InvalidInput(problems)
    # Sealed, it could not be corrected any more.
    attesting.check(found, registers.school(school), region)
    return found


def _mistaken(entries: Iterable[Entry], before: list[Attestation]) -> Iterable[Problem]:
    """Find the cessions that the rules would take for others: a pupil and a teacher of one id."""
    known = attestations.attested(before)
    for entry in entries:
        row = known.get(entry.key)
        if row and row.audience != entry.audience:
            what = "elle a été attestée pour un élève et un professeur de même identifiant."
            yield Problem(what, f"tablette {entry.serial}", "Changez l’un des identifiants.")


def _without_options(problem: Problem) -> Problem:
    for option, remedy in REMEDIES.items():
        if option in problem.remedy:
            return Problem(problem.what, problem.where, remedy)
    return problem


def _entries(school: models.School) -> list[Entry]:
    """Give the cessions of a school, of those who are gone too."""
    rows = models.Cession.objects.filter(school=school, cancelled_at=None).order_by("pk")
    columns = ("person__internal_id", "person__audience", "person__division")
    return [Entry(*facts) for facts in rows.values_list("serial", *columns, "ceded_date")]


def _stock(school: models.School, entries: Iterable[Entry]) -> tuple[StockLine, ...] | None:
    """Count what the school still holds; None when it never told its stock."""
    rows = models.Device.objects.filter(school=school)
    devices = {row.serial: records.Device(row.serial, row.model, row.state) for row in rows}
    return stock_left(devices, {entry.serial for entry in entries}) if devices else None


def _hold(row: models.Attestation, issued: Attestation) -> None:
    """Write what an attestation withdraws and lists: the database refuses a cession twice."""
    for each in issued.withdrawn:
        models.AttestedCession.objects.filter(
            school=row.school_id, serial=each.serial, person=each.person_id, withdrawn_by=None
        ).update(withdrawn_by=row)
    models.AttestedCession.objects.bulk_create(
        (
            models.AttestedCession(
                attestation=row, school_id=row.school_id, serial=each.serial, person=each.person_id
            )
            for each in issued.rows
        ),
        batch_size=ROWS,
    )
