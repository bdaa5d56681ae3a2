"""Print jobs: ordered, watched, cancelled, printed again."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Router, Schema
from ninja.responses import Status
from pydantic import Field

from docgen import library
from docgen.backoffice import models, ordering, pressing, print_jobs, releases
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.reading import Body, Id, Label, RowId, Slug, Uai, today
from docgen.errors import InvalidInput
from docgen.errors import Problem as Trouble

router = Router(tags=["print-jobs"])
NEWEST_FIRST = ("-created_at", "-id")
HEAVY = ("profile", "template__archive")  # that no answer shows
Classes = Annotated[list[Label], Field(max_length=500)]
People = Annotated[list[Annotated[str, Field(min_length=1, max_length=32)]], Field(max_length=5000)]


class Asked(Body):
    """What is to be printed, and how; without a day, people are minors or adults today."""

    template: Slug
    layout: Slug
    copies: Annotated[int, Field(ge=0, le=9)] = 0
    on: date | None = None


class WantedJob(Asked):
    """A job for a school: for everybody, for classes, or for people by internal identifier."""

    school: Uai
    classes: Classes = Field([])
    people: People = Field([])
    separators: bool = False
    volume: Annotated[int, Field(ge=1, le=5000)] = 500
    order: Literal["class", "name"] = "class"


class Again(Body):
    """What to print again: all the job, or documents by their `id`."""

    documents: Annotated[list[RowId], Field(max_length=5000)] = Field([])
    is_duplicata: bool = False


class Problem(Schema):
    """One thing to mend."""

    what: str
    where: str
    remedy: str


class Volume(Schema):
    """A file of a job."""

    number: int
    file: str
    state: str
    documents: int
    done: int
    sides: int
    sheets: int
    size: int
    sha256: str
    counted_sheets: int | None


class Progress(Schema):
    """How far a job is; `rate` is in documents a second, null while it cannot be told."""

    stage: str
    documents: int
    done: int
    sheets: int
    rate: float
    seconds_left: int | None
    problems: list[Problem]


class Job(Schema):
    """A print job."""

    id: UUID
    name: str
    school: str
    template: str
    version: str
    layout: str
    stage: str
    documents: int
    sides: int
    sheets: int
    on: date
    reprint_of: UUID | None
    shop: int | None
    created_at: datetime
    ready_at: datetime | None
    released_at: datetime | None


class WatchedJob(Job):
    """A print job, its progress and its volumes."""

    progress: Progress
    volumes: list[Volume]


def facts(row: models.PrintJob) -> dict[str, Any]:
    """Give what the API tells of a job in a list."""
    return {name: getattr(row, name) for name in Job.model_fields if hasattr(row, name)} | {
        "school": row.school_id,
        "template": row.template.slug,
        "version": row.template.version,
        "reprint_of": row.reprint_of_id,
        "shop": row.shop_id,
    }


def progress_of(row: models.PrintJob) -> Progress:
    """Tell how far a job is, and what is wrong with it: values refused, sheets miscounted."""
    found = print_jobs.progress(row)
    problems = [*(Trouble(*each) for each in found.problems), *releases.mismatches(row)]
    return Progress(
        **{name: getattr(found, name) for name in Progress.model_fields if name != "problems"},
        problems=[Problem(what=p.what, where=p.where, remedy=p.remedy) for p in problems],
    )


def watched(row: models.PrintJob) -> WatchedJob:
    """Give a job with its progress and its volumes."""
    volumes = [
        Volume(
            file=pressing.file_name(row, each.number),
            **{name: getattr(each, name) for name in Volume.model_fields if name != "file"},
        )
        for each in row.volumes.order_by("number")
    ]
    return WatchedJob(**facts(row), progress=progress_of(row), volumes=volumes)


def job_of(request: Request, job: UUID) -> models.PrintJob:
    """Give a job that the sender sees."""
    return one(seen(models.PrintJob, request).select_related("template").defer(*HEAVY), pk=job)


@router.get("/print-jobs", auth=scope("read:print-jobs"), response=Page[Job])
def listed(
    request: Request, paging: Paged, school: Uai | None = None, stage: Slug | None = None
) -> dict[str, object]:
    """Liste les lots, les plus récents d’abord."""
    rows = seen(models.PrintJob, request).select_related("template").defer(*HEAVY)
    rows = rows.filter(school=school) if school else rows
    rows = rows.filter(stage=stage) if stage else rows
    found = page(rows, NEWEST_FIRST, paging)
    return {**found, "items": [facts(row) for row in found["items"]]}


@router.post("/print-jobs", auth=scope("write:print-jobs"), response={201: WatchedJob})
def create(request: Request, wanted: WantedJob) -> Status[WatchedJob]:
    """Commande un lot pour un établissement."""
    school = one(seen(models.School, request), pk=wanted.school)
    order = ordering.Wanted(
        *(template_of(wanted), wanted.layout, wanted.on or today()),
        people=frozenset(wanted.people) or None,
        classes=tuple(wanted.classes),
        copies=wanted.copies,
        separators=wanted.separators,
        ordering=wanted.order,
        volume=wanted.volume,
    )
    return _ordered(request, school, order, print_jobs.BATCH)


@router.post(
    "/schools/{uai}/people/{person}/documents",
    auth=scope("write:print-jobs"),
    response={201: WatchedJob},
)
def create_for_one(request: Request, uai: Uai, person: Id, asked: Asked) -> Status[WatchedJob]:
    """Imprime le document d’une personne qui attend : il passe devant les lots."""
    school = one(seen(models.School, request), pk=uai)
    row = one(seen(models.Person, request), school=school, pk=person)
    order = ordering.Wanted(
        *(template_of(asked), asked.layout, asked.on or today()),
        people=frozenset({row.internal_id}),
        copies=asked.copies,
    )
    return _ordered(request, school, order, print_jobs.COUNTER)


@router.get("/print-jobs/{job}", auth=scope("read:print-jobs"), response=WatchedJob)
def read(request: Request, job: UUID) -> WatchedJob:
    """Donne un lot : son avancement, ses fichiers, ce qui est à corriger."""
    return watched(job_of(request, job))


@router.post("/print-jobs/{job}/cancel", auth=scope("write:print-jobs"), response=WatchedJob)
def cancel(request: Request, job: UUID) -> WatchedJob:
    """Annule un lot ; ses fichiers et les valeurs de ses documents sont effacés."""
    print_jobs.cancel(job_of(request, job), request.auth.label)
    return watched(job_of(request, job))


@router.post("/print-jobs/{job}/retry", auth=scope("write:print-jobs"), response=WatchedJob)
def retry(request: Request, job: UUID) -> WatchedJob:
    """Relance ce qui a été refusé ou mis de côté."""
    print_jobs.retry(job_of(request, job), request.auth.label)
    return watched(job_of(request, job))


@router.post(
    "/print-jobs/{job}/reprint", auth=scope("write:print-jobs"), response={201: WatchedJob}
)
def reprint(request: Request, job: UUID, again: Again) -> Status[WatchedJob]:
    """Réimprime un lot, ou quelques documents : les mêmes octets, ou marqués « duplicata »."""
    row = print_jobs.reprint(
        job_of(request, job),
        request.auth.label,
        documents=again.documents,
        is_duplicata=again.is_duplicata,
    )
    return Status(201, watched(row))


def template_of(asked: Asked) -> library.Template:
    """Give the template that is asked for, with its layout; what was typed is not repeated.

    Raises:
        InvalidInput: when there is none of that name.
    """
    if asked.template not in library.slugs():
        remedy = f"Modèles\u00a0: {', '.join(library.slugs())}."
        raise InvalidInput(Trouble("ce modèle n’existe pas.", "template", remedy))
    template = library.load(asked.template)
    layouts = [each.name for each in template.manifest.layouts]
    if asked.layout not in layouts:
        remedy = f"Mises en page\u00a0: {', '.join(layouts)}."
        raise InvalidInput(Trouble("ce modèle n’a pas cette mise en page.", "layout", remedy))
    return template


def _ordered(
    request: Request, school: models.School, wanted: ordering.Wanted, priority: int
) -> Status[WatchedJob]:
    made = ordering.prepared(school, wanted)
    return Status(201, watched(print_jobs.create(made, request.auth.label, priority)))
