"""What a print job made: its volumes, manifest, ticket, and all of it as one archive."""

import json
from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Router, Schema

from docgen import jobfolder
from docgen.backoffice import models, pressing, releases, store
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.downloads import (
    CSV,
    JSON,
    ZIP,
    Kept,
    content,
    given,
    partly,
    sent,
    zipped,
)
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.print_jobs import job_of
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.api.reading import Id
from docgen.errors import Problem

router = Router(tags=["print-jobs"])
READ = scope("read:print-jobs")
ARCHIVE = "lot.zip"
Member = tuple[str, Callable[[], Iterable[bytes]]]


class Document(Schema):
    """A document of a job: for whom, by internal identifier, and where it is."""

    id: int
    reference: str
    person: str
    division: str
    variant: str
    mark: str
    volume: int
    position: int

    @staticmethod
    def resolve_volume(row: models.Document) -> int:
        """Give the number of the volume."""
        return row.volume.number


@router.get("/print-jobs/{job}/documents", auth=READ, response=Page[Document])
def documents(request: Request, job: UUID, paging: Paged) -> dict[str, object]:
    """Liste les documents d’un lot, dans l’ordre d’impression."""
    rows = seen(models.Document, request).filter(volume__job=job_of(request, job))
    rows = rows.exclude(person="")  # those of a cancelled job say nothing any more
    return page(rows.select_related("volume"), ["volume_id", "position"], paging)


@router.get("/print-jobs/{job}/volumes/{number}", auth=READ, openapi_extra=partly())
def volume(request: Request, job: UUID, number: Id) -> HttpResponseBase:
    """Donne le PDF d’un volume (ETag, Range)."""
    row = job_of(request, job)
    found = one(seen(models.Volume, request), job=row, number=number)
    return sent(request, volume_file(row, found))


@router.get("/print-jobs/{job}/manifest.csv", auth=READ, openapi_extra=content(CSV))
def manifest(request: Request, job: UUID) -> HttpResponseBase:
    """Donne le manifeste : un document par ligne."""
    return part(request, job_of(request, job), jobfolder.MANIFEST)


@router.get("/print-jobs/{job}/ticket.pdf", auth=READ, openapi_extra=partly())
def ticket(request: Request, job: UUID) -> HttpResponseBase:
    """Donne le bon d’impression."""
    return part(request, job_of(request, job), jobfolder.TICKET)


@router.get("/print-jobs/{job}/job.json", auth=READ, openapi_extra=content(JSON))
def index(request: Request, job: UUID) -> HttpResponseBase:
    """Donne le sommaire du lot (job.json)."""
    return part(request, job_of(request, job), jobfolder.INDEX)


@router.get("/print-jobs/{job}/lot.zip", auth=READ, openapi_extra=content(ZIP))
def archive(request: Request, job: UUID) -> HttpResponseBase:
    """Donne tout le lot en une archive."""
    return part(request, job_of(request, job), ARCHIVE)


def volume_file(job: models.PrintJob, volume: models.Volume) -> Kept:
    """Give the file of a volume.

    Raises:
        Refused: while it is not made.
    """
    if not volume.sha256:
        raise Refused("job-not-ready", Problem("ce volume n’est pas imprimé.", f"{volume.number}"))
    return Kept(pressing.file_name(job, volume.number), volume.sha256)


def parts(job: models.PrintJob) -> list[str]:
    """List the files of a job by name; the archive of all of them comes last."""
    names = [name for name, _ in releases.files(job)]
    return [*names, jobfolder.MANIFEST, jobfolder.TICKET, jobfolder.INDEX, ARCHIVE]


def part(request: HttpRequest, job: models.PrintJob, name: str) -> HttpResponseBase:
    """Give one file of a job that is made, by its name.

    Raises:
        StageConflict: while it is not made.
        Refused: for another name.
    """
    releases.require_made(job)
    if name == jobfolder.MANIFEST:
        return given(pressing.manifest(job), f"{job.name}-{name}", CSV)
    if name == jobfolder.TICKET:
        return sent(request, Kept(f"{job.name}-{name}", releases.ticket(job)))
    if name == jobfolder.INDEX:
        return given([_index(job)], f"{job.name}-{name}", JSON)
    if name == ARCHIVE:
        return given(zipped(list(_members(job))), f"{job.name}.zip", ZIP)
    for file, row in releases.files(job):
        if file == name:
            return sent(request, volume_file(job, row))
    raise Refused("not-found", Problem("ce lot n’a pas ce fichier."))


def _index(job: models.PrintJob) -> bytes:
    told = releases.index(job).as_json()
    return json.dumps(told, ensure_ascii=False, indent=2).encode() + b"\n"


def _members(job: models.PrintJob) -> Iterator[Member]:
    ticket, told = releases.ticket(job), _index(job)
    yield jobfolder.TICKET, lambda: store.blocks(ticket)
    for name, row in releases.files(job):
        yield name, lambda sha256=row.sha256: store.blocks(sha256)  # type: ignore[misc]
    yield jobfolder.MANIFEST, lambda: pressing.manifest(job)
    yield jobfolder.INDEX, lambda: [told]
