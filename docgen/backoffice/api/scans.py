"""Scans: sent in files, followed while they are read, and told side by side."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http.response import HttpResponseBase
from ninja import File, Router, Schema
from ninja import Path as PathPart
from ninja.files import UploadedFile
from ninja.responses import Status
from pydantic import Field

from docgen.backoffice import models, reviews, scans
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.attestations import told
from docgen.backoffice.api.downloads import Kept, partly, sent
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.print_jobs import Problem
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.api.reading import Uai
from docgen.backoffice.api.repeating import same_twice
from docgen.backoffice.models import Role
from docgen.errors import InvalidInput, ScanRejected
from docgen.errors import Problem as Trouble

router = Router(tags=["scans"])
READ, WRITE = scope("read:scans"), scope("write:scans")
NEWEST_FIRST = ("-created_at", "-id")
First = PathPart[Annotated[int, Field(ge=0, lt=2**31)]]
Stage = Literal["received", "read", "refused"]
Outcome = Literal[
    "known",
    "duplicate",
    "foreign",
    "superseded",
    "unknown",
    "unreadable",
    "inconsistent",
    "blank",
    "discarded",
]


class Received(Schema):
    """A file that was received; `is_new` is false when it had been before."""

    id: UUID
    label: str
    is_new: bool


class Scan(Schema):
    """A file of scans, by the name that its sender gave it; of no school: a pile of several."""

    id: UUID
    school: str | None
    label: str
    source: str
    kind: str
    stage: str
    sides: int | None
    problems: list[Problem]
    created_at: datetime
    read_at: datetime | None


class WatchedScan(Scan):
    """A file of scans, how many of its sides are read, and what they are.

    `parts` are where its clean copies begin; `is_stopped`: a part of it is to be tried again.
    """

    done: int
    is_stopped: bool
    outcomes: dict[str, int]
    parts: list[int]


class Side(Schema):
    """A side of a file, counted from 1, and its one outcome.

    `words` say why, and what to do. `document` and `side` are where it went home to. `step` is the
    number of the last thing decided about it, 0 without any.
    """

    id: UUID
    scan: UUID
    number: int
    outcome: str
    reason: str
    words: str
    document: UUID | None
    reference: str | None
    side: int | None
    is_by_hand: bool
    turned: int
    has_picture: bool
    step: int


@router.post(
    "/schools/{uai}/scans", auth=WRITE, response={200: list[Received], 202: list[Received]}
)
@same_twice
def send(request: Request, uai: Uai, files: File[list[UploadedFile]]) -> Status[list[Received]]:
    """Reçoit des numérisations d’un établissement ; la lecture suit. Un fichier déjà reçu : 200."""
    return _received(request, one(seen(models.School, request), pk=uai), files)


@router.post("/scans", auth=WRITE, response={200: list[Received], 202: list[Received]})
@same_twice
def send_pile(request: Request, files: File[list[UploadedFile]]) -> Status[list[Received]]:
    """Reçoit des piles de plusieurs établissements (gestionnaires)."""
    if request.auth.role != Role.BACK_OFFICE:
        problem = Trouble("votre rôle ne permet pas cette action.", "", "Nommez l’établissement.")
        raise Refused("role-forbidden", problem)
    return _received(request, None, files)


@router.get("/scans", auth=READ, response=Page[Scan])
def listed(
    request: Request, paging: Paged, school: Uai | None = None, stage: Stage | None = None
) -> dict[str, object]:
    """Liste les fichiers de numérisation, les plus récents d’abord."""
    rows = seen(models.ScanBatch, request)
    rows = rows.filter(school=school) if school else rows
    rows = rows.filter(stage=stage) if stage else rows
    found = page(rows, NEWEST_FIRST, paging)
    return {**found, "items": [Scan(**facts(row)) for row in found["items"]]}


@router.get("/scans/{scan}", auth=READ, response=WatchedScan)
def read(request: Request, scan: UUID) -> WatchedScan:
    """Donne un fichier : où en est sa lecture, ses faces par issue, ce qui ne va pas."""
    return watched(scan_of(request, scan))


@router.post("/scans/{scan}/retry", auth=WRITE, response=WatchedScan)
def retry(request: Request, scan: UUID) -> WatchedScan:
    """Relance ce qui est mis de côté : la lecture de parties, la reliure de documents."""
    row = scan_of(request, scan)
    if not scans.retry(row, request.auth.label):
        problem = Trouble("rien dans ce fichier n’attend d’être relancé.", "", "Suivez-le.")
        raise InvalidInput(problem)
    return watched(row)


@router.get("/scans/{scan}/pages", auth=READ, response=Page[Side])
def sides(
    request: Request, scan: UUID, paging: Paged, outcome: Outcome | None = None
) -> dict[str, object]:
    """Liste les faces d’un fichier, dans l’ordre du scanner, et dit pourquoi elles sont ainsi."""
    rows = seen(models.ScannedPage, request).filter(batch=scan_of(request, scan))
    return sides_of(rows.filter(outcome=outcome) if outcome else rows, ("index",), paging)


@router.get("/scans/{scan}/parts/{first}.pdf", auth=READ, openapi_extra=partly())
def part(request: Request, scan: UUID, first: First) -> HttpResponseBase:
    """Donne une copie propre : les images seules des faces à partir de celle-ci (ETag, Range)."""
    row = scan_of(request, scan)
    found = one(seen(models.ScanPart, request), batch=row, first=first)
    if not found.copy:
        if row.stage == row.Stage.RECEIVED:
            raise Refused("paper-not-ready", Trouble("ces faces ne sont pas encore lues."))
        raise Refused("not-found", Trouble("cette copie n’est plus conservée."))
    return sent(request, Kept(f"{row.pk}-{first}.pdf", found.copy))


def scan_of(request: Request, scan: UUID) -> models.ScanBatch:
    """Give a file of scans that the sender sees."""
    return one(seen(models.ScanBatch, request), pk=scan)


def facts(row: models.ScanBatch) -> dict[str, Any]:
    """Give what the API tells of a file of scans in a list."""
    names = ("id", "label", "source", "kind", "stage", "sides", "created_at", "read_at")
    return {name: getattr(row, name) for name in names} | {
        "school": row.school_id,
        "problems": told(Trouble(*each) for each in row.problems),
    }


def watched(row: models.ScanBatch) -> WatchedScan:
    """Give a file of scans with its progress."""
    found = scans.progress(row)
    parts = row.parts.exclude(copy="").order_by("first").values_list("first", flat=True)
    return WatchedScan(
        **facts(row),
        done=found.done,
        is_stopped=found.is_stopped,
        outcomes=found.outcomes,
        parts=list(parts),
    )


def sides_of(rows: Any, order: tuple[str, ...], paging: Paged) -> dict[str, object]:  # noqa: ANN401
    """Give a page of sides, each with why it is what it is."""
    found = page(rows.select_related("back").prefetch_related("steps"), order, paging)
    return {**found, "items": [side_of(row) for row in found["items"]]}


def side_of(row: models.ScannedPage) -> Side:
    """Give a side as the API tells it."""
    standing = [step.pk for step in row.steps.all() if step.undone_at is None]
    return Side(
        id=row.public_id,
        scan=row.batch_id,
        number=row.index + 1,
        outcome=row.outcome,
        reason=row.reason,
        words=reviews.sentence(row),
        document=row.back_id,
        reference=row.back.reference if row.back else None,
        side=row.side,
        is_by_hand=row.is_by_hand,
        turned=row.turned,
        has_picture=bool(row.reading.get("preview", (0, 0))[1]),
        step=max(standing, default=0),
    )


def _received(
    request: Request, school: models.School | None, files: list[UploadedFile]
) -> Status[list[Received]]:
    made, problems = list[Received](), list[Trouble]()
    for file in files:
        if not isinstance(file, TemporaryUploadedFile):
            raise TypeError("scans go straight to disk (see guard)")
        label = scans.shown(file.name or "")
        way = models.ScanBatch.Source.API
        try:
            path = Path(file.temporary_file_path())
            row, is_new = scans.receive(path, school, label, way, request.auth.label)
        except ScanRejected as error:
            problems += [Trouble(p.what, p.where or label, p.remedy) for p in error.problems]
        else:
            made.append(Received(id=row.pk, label=label, is_new=is_new))
    if problems:
        if made:  # they are kept: sent again, they are the same
            problems.append(Trouble("les autres fichiers sont reçus.", "", "Renvoyez ceux-ci."))
        raise ScanRejected(problems)
    return Status(202 if any(each.is_new for each in made) else 200, made)
