"""From our files to a shop's paper: a job is released, its sheets are counted, the job is done.

A count that differs reopens the job: the shop counts again, or somebody releases it again or takes
it back.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from docgen.backoffice import pressing, store
from docgen.backoffice.events import tell
from docgen.backoffice.models import PrintJob, PrintShop, State, Volume
from docgen.datafolder import data_folder, page_code_keys
from docgen.errors import InvalidInput, Problem
from docgen.jobfolder import Report

Stage = PrintJob.Stage
MADE = (Stage.READY, Stage.RELEASED, Stage.PRINTED, Stage.REOPENED)


class StageConflict(InvalidInput):
    """What is asked does not go with where the job is."""

    code = "stage-conflict"


def add_shop(name: str, by: str) -> PrintShop:
    """Add a print shop.

    Raises:
        InvalidInput: when another one has that name.
    """
    try:
        with transaction.atomic():
            shop = PrintShop.objects.create(name=name)
            tell("shop-added", f"shop:{shop.pk}", actor=by)
    except IntegrityError as error:
        what = "un imprimeur porte déjà ce nom."
        raise InvalidInput(Problem(what, "name", "Donnez-lui un autre nom.")) from error
    return shop


def release(job: PrintJob, shop: PrintShop, by: str) -> PrintJob:
    """Hand a job to a print shop, which sees it from now on; counts start anew.

    Raises:
        StageConflict: when it is not ready, or is with a shop already.
    """
    with transaction.atomic():
        row = _locked(
            job, (Stage.READY, Stage.REOPENED), "seul un lot prêt se remet à un imprimeur."
        )
        Volume.objects.filter(job=row).update(counted_sheets=None)
        _move(row, Stage.RELEASED, by, shop=shop, released_at=Now())
    return row


def withdraw(job: PrintJob, by: str) -> PrintJob:
    """Take a job back from its shop, which sees it no longer; its links hold no longer.

    Raises:
        StageConflict: when no shop has it, or when it is printed.
    """
    with transaction.atomic():
        row = _locked(job, (Stage.RELEASED, Stage.REOPENED), "ce lot n’est pas chez un imprimeur.")
        Volume.objects.filter(job=row).update(counted_sheets=None)
        _move(row, Stage.READY, by, shop=None, released_at=None)
    return row


def count(volume: Volume, sheets: int, by: str) -> PrintJob:
    """Record how many sheets a shop printed of a volume; a wrong count reopens the job.

    Counts may be corrected: a job whose volumes are all counted right is printed.

    Raises:
        StageConflict: when the job is not with a shop.
    """
    with transaction.atomic():
        row = _locked(volume.job, (Stage.RELEASED, Stage.REOPENED), "ce lot n’attend aucun compte.")
        volumes = Volume.objects.filter(job=row)
        volumes.filter(pk=volume.pk).update(counted_sheets=sheets)
        subject = f"{row.pk}/{volume.number}"
        facts = {"sheets": sheets, "expected": volume.sheets}
        tell("volume-counted", subject, school=row.school_id, actor=by, **facts)
        if sheets != volume.sheets:
            if row.stage != Stage.REOPENED:
                _move(row, Stage.REOPENED, by)
        elif all(each.counted_sheets == each.sheets for each in volumes):
            _move(row, Stage.PRINTED, by)
    return row


def mismatches(job: PrintJob) -> list[Problem]:
    """Say which counts differ from what was made."""
    counted = Volume.objects.filter(job=job).exclude(counted_sheets=None).order_by("number")
    return [
        Problem(
            f"{each.counted_sheets} feuilles comptées, {each.sheets} attendues.",
            f"volume {each.number}",
            "Recomptez avec l’imprimeur, puis remettez-lui le lot ou reprenez-le.",
        )
        for each in counted
        if each.counted_sheets != each.sheets
    ]


def require_made(job: PrintJob) -> None:
    """Make sure that the files of a job are there to be given.

    Raises:
        StageConflict: when they are not made yet, or no longer kept.
    """
    if job.stage not in MADE or job.purged_at is not None:
        what = "les fichiers de ce lot ne sont pas, ou plus, disponibles."
        raise StageConflict(Problem(what, job.name, "Suivez l’avancement du lot."))


def ticket(job: PrintJob) -> str:
    """Give the job ticket's name in the store; it is laid out once.

    Raises:
        StageConflict: when the job is not made.
    """
    require_made(job)
    if job.ticket:
        return job.ticket
    content = pressing.ticket(job, pressing.run_of(job, page_code_keys(data_folder())))
    with tempfile.TemporaryDirectory(dir=settings.UPLOADS) as folder:
        path = Path(folder, "ticket.pdf")
        path.write_bytes(content)
        sha256 = store.keep(path)
    with transaction.atomic():
        store.require((sha256,))
        PrintJob.objects.filter(pk=job.pk, stage__in=MADE).update(ticket=sha256)
    return sha256


def index(job: PrintJob) -> Report:
    """Give what job.json tells.

    Raises:
        StageConflict: when the job is not made.
    """
    require_made(job)
    run = pressing.run_of(job, page_code_keys(data_folder()))
    told = pressing.report(job)
    told.flip = run.imposition.flip
    told.pdf_x = run.intent.name if run.intent else ""
    return told


def files(job: PrintJob) -> Iterator[tuple[str, Volume]]:
    """Give the volumes of a job by the names of their files."""
    for volume in Volume.objects.filter(job=job, state=State.DONE).order_by("number"):
        yield pressing.file_name(job, volume.number), volume


def _locked(job: PrintJob, stages: tuple[Stage, ...], otherwise: str) -> PrintJob:
    row = PrintJob.objects.select_for_update().get(pk=job.pk)
    if row.stage not in stages:
        remedy = f"Il est à l’étape «\u00a0{Stage(row.stage).label}\u00a0»."
        raise StageConflict(Problem(otherwise, row.name, remedy))
    return row


def _move(job: PrintJob, stage: Stage, by: str, **changes: object) -> None:
    """Move a job to a stage and tell it; the job's row is locked."""
    was = Stage(job.stage)
    PrintJob.objects.filter(pk=job.pk).update(stage=stage, **changes)
    job.refresh_from_db()
    kind = "job-withdrawn" if stage == Stage.READY else f"job-{stage}"
    tell(kind, str(job.pk), school=job.school_id, actor=by, was=str(was), shop=job.shop_id or 0)
