"""Orders of print jobs: for whom, how, at what cost in paper and time, and who cannot be printed.

The API and the screens order alike: through here, to `print_jobs.create`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from io import BytesIO
from pathlib import Path

from django.db.models import F, Sum

from docgen import library, press
from docgen.backoffice import models, registers
from docgen.backoffice.models import PrintJob, State, Volume
from docgen.datafolder import data_folder, page_code_key
from docgen.errors import FieldDoesNotFit, InvalidInput, Problem
from docgen.records import Roster
from docgen.rendering import printfile

PROFILES = "profils"  # in the data folder: ICC profiles of presses
RECENT = 20  # jobs that an estimate looks back on
MADE = (PrintJob.Stage.READY, PrintJob.Stage.RELEASED, PrintJob.Stage.PRINTED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be printed: a template and a layout, for whom, and how.

    `people` are internal identifiers; None means everybody of the `classes`, or of the school.
    """

    template: library.Template
    layout: str
    on: date
    people: frozenset[str] | None = None
    classes: tuple[str, ...] = ()
    copies: int = 0
    separators: bool = False
    ordering: press.Ordering = "class"
    volume: int = press.VOLUME
    profile: str = ""


def prepared(school: models.School, wanted: Wanted) -> press.Job:
    """Make an order ready: nothing is laid out nor kept yet.

    Raises:
        InvalidInput: for people or classes that the school does not have, nobody to print for, or
            values of the school refused.
    """
    manifest = wanted.template.manifest
    roster = registers.roster(school, manifest.audience, people=wanted.people or ())
    if wanted.people is not None:
        roster = only(roster, wanted.people)
    return of_roster(school, wanted, roster)


def of_roster(school: models.School, wanted: Wanted, roster: Roster) -> press.Job:
    """Make an order ready for the people of a roster that was read already.

    Raises:
        InvalidInput: as `prepared` does.
    """
    data = data_folder()
    order = press.Order(
        wanted.template,
        wanted.template.manifest.layout(wanted.layout),
        registers.school(school),
        roster,
        wanted.on,
        wanted.classes,
        wanted.copies,
        wanted.separators,
        wanted.volume,
        wanted.ordering,
        profile(wanted.profile) if wanted.profile else None,
    )
    return press.prepare(order, page_code_key(data), data / "cache")


def only(roster: Roster, people: Iterable[str]) -> Roster:
    """Keep some people of a roster, by internal identifier.

    Raises:
        InvalidInput: for those who are not in it.
    """
    wanted = set(people)
    known = {person.id for person in roster.people}
    if unknown := sorted(wanted - known):
        what = "cette personne n’est pas parmi les bénéficiaires présents de ce modèle."
        raise InvalidInput(Problem(what, f"personne {each}") for each in unknown)
    chosen = tuple(person for person in roster.people if person.id in wanted)
    return replace(roster, people=chosen)


def refused(job: press.Job) -> dict[str, list[Problem]]:
    """Give those of a job who cannot be printed, by internal identifier, and why."""
    printed = {document.person for document in job.documents()}
    places = {f"personne {person.id}": person.id for person in job.people}
    found: dict[str, list[Problem]] = {}
    for problem in job.problems:
        if problem.where in places:
            found.setdefault(places[problem.where], []).append(problem)
    return {person: told for person, told in found.items() if person not in printed}


def sheets(job: press.Job, left_out: int = 0) -> int:
    """Count the sheets of paper of a job, separators too, less those of people left out."""
    order = job.order
    documents = (len(list(job.people)) - left_out) * len(order.marks)
    classes = {person.division for person in job.people} if order.separators else ()
    return documents * order.layout.sheets + len(classes)


def seconds(documents: int) -> int | None:
    """Estimate how long documents take, those that wait before them too, as jobs lately took.

    None while nothing was printed yet.
    """
    recent = PrintJob.objects.filter(stage__in=MADE).exclude(ready_at=None)
    times = recent.order_by("-created_at", "-id").values_list(
        "documents", F("ready_at") - F("created_at")
    )
    pairs = list(times[:RECENT])
    took: float = sum(time.total_seconds() for _, time in pairs)
    if not took:
        return None
    waiting = Volume.objects.filter(state__in=(State.WAITING, State.CLAIMED))
    totals = waiting.aggregate(total=Sum("documents"), done=Sum("done"))
    before: int = (totals["total"] or 0) - (totals["done"] or 0)
    rate: float = sum(count for count, _ in pairs) / took
    return round((documents + before) / rate)


def profiles() -> list[str]:
    """List the profiles of presses that are installed, by file name."""
    return sorted(path.name for path in (data_folder() / PROFILES).glob("*.icc"))


def profile(name: str) -> Path:
    """Give the file of an installed profile.

    Raises:
        InvalidInput: when there is none of that name.
    """
    if name not in profiles():
        what = "ce profil de presse n’est pas installé."
        raise InvalidInput(Problem(what, "profil", "Choisissez-en un de la liste."))
    return data_folder() / PROFILES / name


def preview(job: press.Job, number: int = 0) -> bytes:
    """Make one document of a job as it will be printed, by its place in it, without its blanks.

    Raises:
        InvalidInput: with the problems of its values; a character that cannot be drawn too.
        FieldDoesNotFit: for values too long for their slots.
    """
    documents = list(job.documents())
    if job.problems:
        raise InvalidInput(job.problems)
    run = replace(job.run, separators=False, padded=False, intent=None)
    content = BytesIO()
    volume = printfile.bind(run, documents[number : number + 1], content)
    if volume.missing:
        raise InvalidInput([*volume.missing, *volume.unfit])
    if volume.unfit:
        raise FieldDoesNotFit(volume.unfit)
    return content.getvalue()
