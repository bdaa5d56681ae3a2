"""Jobs pressed for tests: the layouts that the customer named, and people of every kind."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from docgen import library
from docgen.datafolder import data_folder
from docgen.jobfolder import Report, write_job
from docgen.manifest import Layout
from docgen.pagecode import Key
from docgen.press import Job, Order, prepare
from docgen.records import Person, Roster
from samples.people import cession_for, nasty_people, people, school, teachers

# Template, layout, then pages, sides and sheets: the customer's own figures (seed 000).
CESSIONS = (
    ("charte-cession-eleve", "police-10", 5, 5, 3),
    ("charte-cession-eleve", "reduction", 5, 3, 2),
    ("charte-cession-eleve", "police-8", 4, 4, 2),
    ("charte-cession-professeur", "police-10", 4, 4, 2),
    ("charte-cession-professeur", "reduction", 4, 2, 1),
)
LAYOUTS = (*CESSIONS, ("charte-engagement-4-0", "police-10", 2, 2, 1))
NAMES = [f"{slug}-{layout}" for slug, layout, *_ in LAYOUTS]
KEY = Key(1, b"a key for tests, thirty-two bytes")
ON = date(2026, 9, 14)


@dataclass
class Pressed:
    """A job on disk, with the people in it."""

    job: Job
    report: Report
    folder: Path

    @property
    def layout(self) -> Layout:
        """The layout that was pressed."""
        return self.job.order.layout

    def files(self) -> list[Path]:
        """The volumes, in order."""
        return [self.folder / volume.file for volume in self.report.volumes]


def everybody(slug: str, count: int) -> list[Person]:
    """Give people of the kind that a template is for, the nasty ones among them."""
    nasty = [person for person in nasty_people() if person.birth_date]
    ordinary = teachers(count) if "professeur" in slug else people(count)
    return [*nasty, *ordinary][: max(count, len(nasty))]


def order(slug: str, layout: str, who: Sequence[Person], **options: object) -> Order:
    """Order documents for people who each received a tablet."""
    template = library.load(slug)
    cessions = {person.id: cession_for(person, n) for n, person in enumerate(who)}
    roster = Roster(tuple(who), "2026-2027", cessions=cessions)
    wanted = template.manifest.layout(layout)
    return Order(template, wanted, school(), roster, ON, **options)  # type: ignore[arg-type]


def press(
    slug: str, layout: str, who: Sequence[Person], folder: Path, **options: object
) -> Pressed:
    """Press a job as the command line does."""
    job = prepare(order(slug, layout, who, **options), KEY, data_folder() / "cache")
    return Pressed(job, write_job(job, folder), folder)


def run(*command: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run a tool that must be there."""
    return subprocess.run(list(map(str, command)), capture_output=True, check=False)


def texts(pdf: Path) -> list[str]:
    """Give the text of each page, in the order in which it was drawn, without any space."""
    done = run("pdftotext", "-raw", pdf, "-")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    pages = done.stdout.decode().split("\f")[:-1]
    return ["".join(page.split()) for page in pages]
