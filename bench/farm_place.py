"""A place to try the service in: PostgreSQL, Redis, a data folder, and schools that order."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import django
from django.core.management import call_command

from bench.town import MODEL, YEAR
from docgen import library
from docgen.datafolder import data_folder, page_code_key
from docgen.identifiers import uai_letter
from docgen.press import Job, Order, prepare
from docgen.records import Device, Roster, School
from samples.people import CEDED_DATE, cession_for, people, school
from tests.service.servers import Postgres, Redis, running

if TYPE_CHECKING:
    from docgen.backoffice.models import PrintJob

TEMPLATE, LAYOUT = "charte-cession-eleve", "police-10"
FIRST_UAI = 69_000


@dataclass(frozen=True, slots=True)
class Place:
    """The servers and the data folder of a trial."""

    postgres: Postgres
    redis: Redis
    data: Path


@contextmanager
def opened() -> Iterator[Place]:
    """Start the servers, tell the settings about them, make the tables; all ends with the block."""
    durable = partial(Postgres, is_durable=True)
    with running(durable, Redis) as (postgres, redis), tempfile.TemporaryDirectory() as folder:
        for server in (postgres, redis):
            os.environ.update(server.environment())
        os.environ["DOCGEN_DATA"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "docgen.backoffice.settings"
        os.environ.pop("DOCGEN_S3_BUCKET", None)
        django.setup()
        call_command("migrate", verbosity=0)
        yield Place(cast(Postgres, postgres), cast(Redis, redis), Path(folder))


def school_of(number: int) -> School:
    """Give one of a region's schools."""
    digits = f"{FIRST_UAI + number:07}"
    return replace(school(), uai=digits + uai_letter(digits), name=f"Lycée du Val {number + 1}")


def prepared(number: int, count: int, volume: int = 500) -> Job:
    """Make the order of a school ready, for so many pupils of its own."""
    pupils = people(count, seed=number + 1)
    cessions = {person.id: cession_for(person, n) for n, person in enumerate(pupils)}
    devices = {each.serial: Device(each.serial, MODEL) for each in cessions.values()}
    template = library.load(TEMPLATE)
    order = Order(
        *(template, template.manifest.layout(LAYOUT), school_of(number)),
        Roster(tuple(pupils), YEAR, devices, cessions),
        on=CEDED_DATE,
        volume=volume,
    )
    return prepare(order, page_code_key(data_folder()), data_folder() / "cache")


def accepted(job: Job, priority: int) -> "PrintJob":
    """Have the service accept an order, its school with it."""
    from docgen.backoffice import print_jobs, registers

    registers.keep_school(job.order.school, "bench")
    return print_jobs.create(job, "bench", priority)
