"""A made-up school in the database, and jobs for its people."""

from docgen import records
from docgen.backoffice import models, print_jobs, registers
from docgen.datafolder import data_folder, page_code_key
from docgen.press import Order, prepare
from tests import helpers


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
