"""Loan conventions and other Word documents of a school, and the models that it gave back."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http.response import HttpResponseBase
from ninja import File, Path, Router, Schema
from ninja.files import UploadedFile
from ninja.responses import Status
from pydantic import Field

from docgen.backoffice import conventions, models
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.attestations import told
from docgen.backoffice.api.downloads import PDF, ZIP, Kept, content, sent
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.print_jobs import Problem
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.api.reading import Body, RowId, Slug, Uai, today
from docgen.backoffice.api.templates import found as on_shelf
from docgen.errors import Problem as Trouble
from docgen.rendering.wordpackage import MAX_FILE

router = Router(tags=["conventions"])
READ, WRITE = scope("read:conventions"), scope("write:conventions")
NEWEST_FIRST = ("-created_at", "-id")
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TYPES = {
    "docx": WORD,
    "doc": "application/msword",
    "odt": "application/vnd.oasis.opendocument.text",
    "pdf": PDF,
    "zip": ZIP,
}
FileName = Path[Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9._-]+$")]]


class WantedConvention(Body):
    """Documents of these loans; without any, the model to edit and the blanks.

    `model` is the one that the school gave back if there is one, unless ours is asked for.
    """

    school: Uai
    template: Slug
    loans: Annotated[list[RowId], Field(max_length=conventions.MOST)] = Field([])
    format: Literal["docx", "doc", "odt", "pdf"] = "docx"
    merged: bool = False
    model: Literal["school", "ours"] = "school"
    on: date | None = None


class Convention(Schema):
    """Documents ordered; `files` are there when `state` is `done`."""

    id: UUID
    school: str
    template: str
    version: str
    format: str
    merged: bool
    is_own_model: bool
    documents: int
    state: str
    files: list[str]
    problems: list[Problem]
    created_at: datetime
    ready_at: datetime | None


class Model(Schema):
    """A model that a school edited and gave back."""

    template: str
    sha256: str
    accepted_at: datetime


@router.get("/conventions", auth=READ, response=Page[Convention])
def listed(request: Request, paging: Paged, school: Uai | None = None) -> dict[str, object]:
    """Liste les demandes de conventions, les plus récentes d’abord."""
    rows = seen(models.Conversion, request).select_related("template")
    made = page(rows.filter(school=school) if school else rows, NEWEST_FIRST, paging)
    return {**made, "items": [_told(row) for row in made["items"]]}


@router.post("/conventions", auth=WRITE, response={201: Convention})
def order(request: Request, wanted: WantedConvention) -> Status[Convention]:
    """Commande des conventions, ou le modèle que l’établissement complète."""
    school = one(seen(models.School, request), pk=wanted.school)
    loans = seen(models.Loan, request).filter(school=school, pk__in=wanted.loans)
    chosen = list(loans.select_related("person").order_by("person__rank", "pk"))
    if len(chosen) != len(set(wanted.loans)):
        raise Refused("not-found", Trouble("un de ces prêts n’existe pas.", "loans"))
    row = conventions.order(
        school,
        on_shelf(wanted.template).manifest.slug,
        request.auth.label,
        wanted.on or today(),
        loans=chosen,
        kind=wanted.format,
        is_merged=wanted.merged,
        is_ours=wanted.model == "ours",
    )
    return Status(201, _told(row))


@router.get("/conventions/{convention}", auth=READ, response=Convention)
def read(request: Request, convention: UUID) -> Convention:
    """Donne une demande de conventions."""
    return _told(_row(request, convention))


@router.get(
    "/conventions/{convention}/files/{file}", auth=READ, openapi_extra=content(*TYPES.values())
)
def file(request: Request, convention: UUID, file: FileName) -> HttpResponseBase:
    """Donne un fichier d’une demande (ETag, Range)."""
    row = _row(request, convention)
    if file not in row.files:
        raise Refused("not-found", Trouble("cette demande n’a pas ce fichier."))
    return sent(request, Kept(file, row.files[file], TYPES[file.rpartition(".")[2]]))


@router.post("/conventions/{convention}/retry", auth=WRITE, response=Convention)
def retry(request: Request, convention: UUID) -> Convention:
    """Relance une demande refusée ou mise de côté."""
    conventions.retry(_row(request, convention), request.auth.label)
    return _told(_row(request, convention))


@router.get("/schools/{uai}/models", auth=READ, response=list[Model])
def list_models(request: Request, uai: Uai) -> list[Model]:
    """Liste les modèles d’un établissement qui sont en usage."""
    school = one(seen(models.School, request), pk=uai)
    rows = seen(models.SchoolModel, request).filter(school=school).order_by("pk")
    return [_model(row) for row in {row.slug: row for row in rows}.values()]


@router.post("/schools/{uai}/models/{template}", auth=WRITE, response={201: Model})
def accept_model(
    request: Request, uai: Uai, template: Slug, model: File[UploadedFile]
) -> Status[Model]:
    """Reçoit un modèle modifié par l’établissement : accepté, ou refusé avec chaque raison."""
    school = one(seen(models.School, request), pk=uai)
    slug = on_shelf(template).manifest.slug
    if (model.size or 0) > MAX_FILE:
        what = f"ce modèle dépasse {MAX_FILE >> 20}\u00a0Mo."
        raise Refused("too-large", Trouble(what, "model", "Retirez les images lourdes."))
    return Status(
        201, _model(conventions.accept_model(school, slug, model.read(), request.auth.label))
    )


@router.get("/schools/{uai}/models/{template}", auth=READ, openapi_extra=content(WORD))
def read_model(request: Request, uai: Uai, template: Slug) -> HttpResponseBase:
    """Donne le modèle d’un établissement, tel qu’il l’a rendu."""
    row = _own_model(request, uai, template)
    return sent(request, Kept(f"{template}-{uai}.docx", row.sha256, WORD))


@router.delete("/schools/{uai}/models/{template}", auth=WRITE, response={204: None})
def forget_model(request: Request, uai: Uai, template: Slug) -> Status[None]:
    """Revient au modèle fourni."""
    row = _own_model(request, uai, template)
    conventions.forget_model(row.school, row.slug, request.auth.label)
    return Status(204, None)


def _row(request: Request, convention: UUID) -> models.Conversion:
    rows = seen(models.Conversion, request).select_related("template")
    return one(rows, public_id=convention)


def _own_model(request: Request, uai: str, slug: str) -> models.SchoolModel:
    """Give the model of a school in use: the last one accepted."""
    rows = seen(models.SchoolModel, request).select_related("school").order_by("-pk")
    return one(rows, school=uai, slug=slug)


def _told(row: models.Conversion) -> Convention:
    facts: dict[str, Any] = {
        "id": row.public_id,
        "school": row.school_id,
        "template": row.template.slug,
        "version": row.template.version,
        "merged": row.is_merged,
        "is_own_model": bool(row.model),
        "documents": len(row.loans),
        "files": sorted(row.files),
        "problems": told(Trouble(*each) for each in row.problems),
        "ready_at": row.finished_at if row.files else None,
    }
    return Convention(format=row.format, state=row.state, created_at=row.created_at, **facts)


def _model(row: models.SchoolModel) -> Model:
    return Model(template=row.slug, sha256=row.sha256, accepted_at=row.accepted_at)
