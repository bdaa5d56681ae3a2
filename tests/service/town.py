"""A made-up school in the database, jobs for its people, and their paper on a scanner."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from django.conf import settings

from docgen import records
from docgen.backoffice import models, pressing, print_jobs, registers, scans
from docgen.datafolder import data_folder, page_code_key, page_code_keys
from docgen.press import Order, prepare
from samples import scanner
from samples.scanner import Paper, Recipe
from samples.scanning_files import write_pdf
from tests import helpers

OFFICE = Recipe("office", dpi=100)


def school(uai: str = "") -> models.School:
    """Keep the school of the small charter, or another one under its UAI."""
    place = helpers.school()
    if uai:
        place = records.School(uai, *(getattr(place, name) for name in place.__slots__[1:]))
    return registers.keep_school(place, "test")


def people(row: models.School, count: int = 3) -> records.Roster:
    """Give the school some pupils."""
    roster = records.Roster(tuple(helpers.people(count)), school_year="2026-2027")
    registers.keep_roster(row, "pupil", roster, "test")
    return registers.roster(row, "pupil")


def job(row: models.School, count: int = 3, **options: object) -> models.PrintJob:
    """Order the small charter for the school's pupils."""
    priority = options.pop("priority", print_jobs.BATCH)
    order: Order = helpers.order(
        (), school=registers.school(row), roster=people(row, count), **options
    )
    made = prepare(order, page_code_key(data_folder()), data_folder() / "cache")
    assert isinstance(priority, int)
    return print_jobs.create(made, "test", priority)


def papers(job: models.PrintJob) -> list[Paper]:
    """Give the printed sides of a job, document by document."""
    volumes = models.Volume.objects.filter(job=job).order_by("number")
    documents = [each for volume in volumes for each in pressing.documents_of(volume)]
    run = pressing.run_of(job, page_code_keys(data_folder()))
    return list(scanner.print_out(run, documents))


def pile(
    path: Path,
    sides: Iterable[Paper],
    *,
    recipe: Recipe = OFFICE,
    is_signed: bool = True,
    seed: int = 1,
) -> Path:
    """Sign sides wherever they ask for it, and scan them into a PDF."""
    rng = np.random.default_rng(seed)
    made = [
        scanner.scan(
            each, recipe, rng, signed=[zone.name for zone in each.zones] if is_signed else []
        )
        for each in sides
    ]
    with path.open("wb") as stream:
        write_pdf(stream, made)
    return path


def sent(path: Path, row: models.School | None) -> models.ScanBatch:
    """Send a file of scans."""
    return scans.receive(path, row, path.name, "api", "test")[0]


def uploads() -> list[Path]:
    """Give the files of requests that are still there; imports that wait to be kept aside."""
    return [each for each in settings.UPLOADS.iterdir() if not each.name.startswith("import-")]
