"""The print shop: what was released to it, one download, the ticket in words, sheets counted."""

from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from docgen.backoffice import pressing, releases
from docgen.backoffice.models import PrintJob, Volume
from docgen.backoffice.web.frame import (
    PRINT_SHOP,
    Asked,
    one,
    page,
    say,
    screen,
    seen,
    warn,
)
from docgen.backoffice.web.inputs import Form
from docgen.backoffice.web.lists import Filter, Listing
from docgen.errors import DocgenError, Problem
from docgen.jobfolder import Report

Stage = PrintJob.Stage
STAGES = {
    Stage.RELEASED: ("À imprimer", "wait"),
    Stage.REOPENED: ("Compte à vérifier", "bad"),
    Stage.PRINTED: ("Imprimé", "good"),
}
MOST_SHEETS = 10_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """A job in the shop's list."""

    job: PrintJob
    label: str
    colour: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A volume, its file, and whether its count is right (None: not counted yet)."""

    volume: Volume
    file: str
    form: "Count"

    @property
    def is_right(self) -> bool | None:
        """Tell whether the sheets counted are those expected."""
        counted = self.volume.counted_sheets
        return None if counted is None else counted == self.volume.sheets


class Count(Form):
    """How many sheets came out of a volume."""

    sheets = forms.IntegerField(
        label="Feuilles comptées",
        min_value=0,
        max_value=MOST_SHEETS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        error_messages={
            "required": "Indiquez le nombre de feuilles sorties.",
            "invalid": "Indiquez un nombre entier de feuilles.",
        },
    )


@require_safe
@require_safe
@screen(PRINT_SHOP)
def shop(request: Asked) -> HttpResponse:
    """List the jobs released to the shop."""
    choices = [(stage.value, label) for stage, (label, _) in STAGES.items()]
    listing = Listing(
        request,
        seen(PrintJob, request).select_related("school").defer("profile", "constants"),
        search=("name", "school__name", "school__city"),
        sorts={
            "remis": ("-released_at",),
            "etablissement": ("school__name",),
            "feuilles": ("-sheets",),
        },
        filters=(Filter("etape", "Étape", choices, "stage", every="Toutes"),),
        label="Établissement, ville ou nom du lot",
    )
    lines = [Line(row, *STAGES[Stage(row.stage)]) for row in listing.rows]
    waiting = seen(PrintJob, request).exclude(stage=Stage.PRINTED).count()
    facts = {"listing": listing, "lines": lines, "waiting": waiting}
    return page(request, "web/shop/list.html", facts)


@require_safe
@require_safe
@screen(PRINT_SHOP)
def shop_job(request: Asked, job: UUID) -> HttpResponse:
    """Show one released job: download, ticket, volumes to count."""
    return _shown(request, one(_jobs(request), pk=job))


@screen(PRINT_SHOP)
def count(request: Asked, job: UUID, number: int) -> HttpResponseBase:
    """Take the sheets counted of a volume."""
    row = one(_jobs(request), pk=job)
    volume = one(seen(Volume, request).select_related("job"), job=row, number=number)
    if request.method != "POST":
        return redirect("shop-job", row.pk)
    form = _form(volume, request.POST)
    if not form.is_valid():
        return _shown(request, row, form, number)
    sheets = form.cleaned_data["sheets"]
    try:
        after = releases.count(volume, sheets, request.who.label)
    except releases.StageConflict as error:
        return _shown(request, row, problems=error)
    if sheets == volume.sheets:
        text = f"Volume {number}\u00a0: {sheets}\u00a0feuilles, le compte est bon."
        if after.stage == Stage.PRINTED:
            text = "Tous les volumes sont comptés, le lot est terminé. Merci."
        say(request, text)
    else:
        text = f"Volume {number}\u00a0: le compte n’est pas celui attendu. Voyez ci-dessous."
        warn(request, text)
    return redirect("shop-job", row.pk)


def _shown(
    request: Asked,
    row: PrintJob,
    form: Count | None = None,
    number: int = 0,
    problems: DocgenError | list[Problem] | None = None,
) -> HttpResponse:
    volumes = seen(Volume, request).filter(job=row).order_by("number")
    counted = [
        Counted(
            each,
            pressing.file_name(row, each.number),
            form if form and each.number == number else _form(each),
        )
        for each in volumes
    ]
    label, colour = STAGES[Stage(row.stage)]
    facts = {
        "job": row,
        "label": label,
        "colour": colour,
        "counted": counted,
        "size": sum(each.volume.size for each in counted),
        "sheets": sum(each.volume.sheets for each in counted),
        "files": f"/api/v1/print-jobs/{row.pk}",
        "is_open": row.stage in (Stage.RELEASED, Stage.REOPENED),
        "wrong": [each for each in counted if each.is_right is False],
        "form": form,
        **(_ticket(row) if row.purged_at is None else {}),
    }
    return page(request, "web/shop/job.html", facts, problems=problems, status=422 if form else 0)


def _form(volume: Volume, given: object = None) -> Count:
    first = {"sheets": volume.counted_sheets}
    return Count(given, initial=first, auto_id=f"v{volume.number}-%s")  # type: ignore[arg-type]


def _jobs(request: Asked) -> QuerySet[PrintJob]:
    return seen(PrintJob, request).select_related("school", "template")


def _ticket(row: PrintJob) -> dict[str, object]:
    """Give what the ticket says of the paper."""
    told: Report = releases.index(row)
    sides, sheets = row.sides // row.documents, -(-(row.sides // row.documents) // 2)
    return {
        "told": told,
        "one_sides": sides,
        "one_sheets": sheets,
        "marks": [mark for mark in row.marks if mark],
    }


urls: list[URLPattern] = [
    path("atelier/", shop, name="shop"),
    path("atelier/<uuid:job>/", shop_job, name="shop-job"),
    path("atelier/<uuid:job>/<int:number>/compte/", count, name="shop-count"),
]
