"""Print jobs: the list, and one job: how far it is, what is wrong with it, what it made."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet, Sum
from django.http import HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from docgen import library
from docgen.backoffice import pressing, print_jobs, releases
from docgen.backoffice.models import (
    Document,
    Person,
    PrintJob,
    PrintShop,
    Return,
    School,
    State,
    User,
    Volume,
)
from docgen.backoffice.web import jobacts
from docgen.backoffice.web.frame import (
    BACK_OFFICE,
    SCHOOL,
    Asked,
    one,
    page,
    school_screen,
    screen,
    seen,
)
from docgen.backoffice.web.lists import Filter, Listing
from docgen.errors import Problem, TemplateRejected

Stage = PrintJob.Stage
HEAVY = ("profile", "constants", "letterhead", "template__archive")
STAGES = {  # of a lot, as people say it
    Stage.ACCEPTED: ("En cours", "busy"),
    Stage.READY: ("Prêt", "good"),
    Stage.RELEASED: ("Chez l’imprimeur", "wait"),
    Stage.PRINTED: ("Imprimé", "good"),
    Stage.REOPENED: ("Compte à vérifier", "bad"),
    Stage.FAILED: ("À corriger", "bad"),
    Stage.CANCELLED: ("Annulé", ""),
}
PERSON = "personne "  # how a problem tells somebody: by internal identifier


@dataclass(frozen=True, slots=True)
class Line:
    """A job in the list; `done` counts its documents."""

    job: PrintJob
    title: str
    label: str
    colour: str
    done: int

    @property
    def is_running(self) -> bool:
        """Tell whether it is being printed."""
        return self.job.stage == Stage.ACCEPTED


@dataclass(frozen=True, slots=True)
class Told:
    """A problem of a job, and whom it is about."""

    problem: Problem
    person: Person | None


@require_safe
@require_safe
@screen(BACK_OFFICE, SCHOOL)
def jobs(request: Asked) -> HttpResponse:
    """List the jobs that the sender sees."""
    ordered = Exists(PrintJob.objects.filter(school=OuterRef("pk")))
    choices = list(seen(School, request).filter(ordered).order_by("name").values_list("pk", "name"))
    more = [Filter("etablissement", "Établissement", choices, "school")] if len(choices) > 1 else []
    return _listed(request, seen(PrintJob, request), more, {"is_all": True})


@require_safe
@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def school_jobs(request: Asked, school: School) -> HttpResponse:
    """List the jobs of one school."""
    return _listed(request, seen(PrintJob, request).filter(school=school), [], {"school": school})


def _listed(
    request: Asked, rows: QuerySet[PrintJob], more: Sequence[Filter], facts: dict[str, Any]
) -> HttpResponse:
    slugs = sorted(set(rows.order_by().values_list("template__slug", flat=True).distinct()))
    names = titles(slugs)
    filters = (
        Filter(
            "etape",
            "Étape",
            [(each.value, label) for each, (label, _) in STAGES.items()],
            "stage",
            every="Toutes",
        ),
        *more,
        Filter("modele", "Document", list(names.items()), "template__slug"),
    )
    listing = Listing(
        request,
        rows.select_related("school", "template", "shop").defer(*HEAVY),
        search=("name", "school__name", "school__uai"),
        sorts={
            "date": ("-created_at", "-id"),
            "etablissement": ("school__name", "-created_at"),
            "etape": ("stage", "-created_at"),
            "documents": ("-documents",),
        },
        filters=filters,
        label="Établissement, UAI ou nom du lot",
    )
    done = progress(request, [row.pk for row in listing.rows if row.stage == Stage.ACCEPTED])
    lines = [
        Line(
            *(row, names.get(row.template.slug, row.template.slug), *STAGES[Stage(row.stage)]),
            done.get(row.pk, 0),
        )
        for row in listing.rows
    ]
    facts |= {
        "listing": listing,
        "lines": lines,
        "is_running": any(line.is_running for line in lines),
    }
    return page(request, "web/jobs/list.html", facts)


def titles(slugs: Iterable[str]) -> dict[str, str]:
    """Give the titles of templates, or what is left of one that is gone: its name."""
    found = {}
    for slug in slugs:
        try:
            found[slug] = library.load(slug).manifest.title
        except TemplateRejected:
            found[slug] = slug
    return found


def progress(request: Asked, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Count the documents done of several jobs, at once."""
    volumes = seen(Volume, request).filter(job__in=ids, state__in=(State.CLAIMED, State.DONE))
    return dict(volumes.values_list("job").annotate(total=Sum("done")).order_by())


@require_safe
@require_safe
@screen(BACK_OFFICE, SCHOOL)
def job(request: Asked, job: UUID) -> HttpResponse:
    """Show one job."""
    rows = seen(PrintJob, request).select_related("school", "template", "shop", "reprint_of")
    row = one(rows.defer("profile", "template__archive"), pk=job)
    found = print_jobs.progress(row)
    problems = [Problem(*each) for each in found.problems]
    volumes = list(seen(Volume, request).filter(job=row).order_by("number"))
    listing = _documents(request, row)
    is_made = row.stage in releases.MADE and row.purged_at is None
    facts = {
        "job": row,
        "title": titles([row.template.slug])[row.template.slug],
        "layout": _layout(row),
        "label": STAGES[Stage(row.stage)][0],
        "colour": STAGES[Stage(row.stage)][1],
        "found": found,
        "is_running": row.stage == Stage.ACCEPTED,
        "is_made": is_made,
        "is_open": row.stage in print_jobs.OPEN_STAGES,
        "ordered_by": _ordered_by(request, row),
        "is_office": request.who.role == BACK_OFFICE,
        "stopped": sum(each.state in (State.FAILED, State.QUARANTINED) for each in volumes),
        "told": _told(request, row, problems[:200]),
        "more": max(0, len(problems) - 200),
        "mismatches": releases.mismatches(row),
        "volumes": [(each, pressing.file_name(row, each.number)) for each in volumes],
        "files": f"/api/v1/print-jobs/{row.pk}",
        "listing": listing,
        "documents": _returned(request, listing.rows),
        "is_kept": bool(row.letterhead) and row.stage != Stage.CANCELLED,
        "token": secrets.token_urlsafe(12),
        "shops": list(seen(PrintShop, request).order_by("name")),
        "reprints": seen(PrintJob, request).filter(reprint_of=row).aggregate(n=Count("pk"))["n"],
    }
    return page(request, "web/jobs/job.html", facts)


def _ordered_by(request: Asked, row: PrintJob) -> str:
    """Say who ordered a job, to whom may know."""
    if row.requested_by == request.who.label:
        return "vous"
    kind, _, number = row.requested_by.partition(":")
    if kind == "user" and number.isdecimal():
        user = seen(User, request).filter(pk=int(number)).first()
        return user.username if user else ""
    return "un programme" if kind == "client" else ""


def _layout(row: PrintJob) -> str:
    """Give how a job is laid out, in words while its template is still on the shelf."""
    try:
        layouts = library.load(row.template.slug).manifest.layouts
    except TemplateRejected:
        return row.layout
    return next((each.title for each in layouts if each.name == row.layout), row.layout)


def _documents(request: Asked, row: PrintJob) -> Listing:
    found = seen(Document, request).filter(volume__job=row).exclude(person="")
    return Listing(
        request,
        found.select_related("volume").defer("values"),
        search=("title", "division", "reference"),
        sorts={
            "ordre": ("volume__number", "position"),
            "nom": ("title",),
            "classe": ("division", "title"),
        },
        label="Nom, classe ou référence",
    )


def _returned(request: Asked, rows: Sequence[Document]) -> list[tuple[Document, Return | None]]:
    """Put beside each document what came home of it."""
    numbers = [bytes(each.number) for each in rows]
    returns = seen(Return, request).filter(number__in=numbers)
    home = {bytes(each.number): each for each in returns.only("number", "stage", "id")}
    return [(each, home.get(bytes(each.number))) for each in rows]


def _told(request: Asked, row: PrintJob, problems: Sequence[Problem]) -> list[Told]:
    """Put beside each problem the person that it is about, in one query."""
    names = {each.where.removeprefix(PERSON) for each in problems if each.where.startswith(PERSON)}
    people: dict[str, Person] = {}
    if names:
        found = seen(Person, request).filter(school=row.school_id, internal_id__in=names)
        # The same identifier may be a pupil's and a teacher's: one of the template's audience.
        audience = _audience(row)
        people = {each.internal_id: each for each in found.filter(**audience)}
    return [Told(each, people.get(each.where.removeprefix(PERSON))) for each in problems]


def _audience(row: PrintJob) -> dict[str, str]:
    try:
        return {"audience": library.load(row.template.slug).manifest.audience}
    except TemplateRejected:
        return {}


urls: list[URLPattern] = [
    path("impressions/", jobs, name="jobs"),
    path("impressions/<uuid:job>/", job, name="job"),
    path("etablissements/<str:uai>/impressions/", school_jobs, name="school-jobs"),
    *jobacts.urls,
]
