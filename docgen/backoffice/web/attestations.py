"""Attestations of a school: where each is, its pages, its paper original, what is on none yet."""

from typing import Any

from django import forms
from django.db.models import Count, Min, Q, QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from docgen import attestations as rules
from docgen.backoffice import attestations, ledger, originals, store
from docgen.backoffice.models import (
    Attestation,
    AttestedCession,
    Cession,
    Delivery,
    Loan,
    Paper,
    School,
)
from docgen.backoffice.models.deliveries import Posting
from docgen.backoffice.web import inputs, newattestation, pictures
from docgen.backoffice.web.frame import (
    BACK_OFFICE,
    SCHOOL,
    Asked,
    one,
    page,
    say,
    school_screen,
    seen,
    warn,
)
from docgen.backoffice.web.journeys import journeys
from docgen.backoffice.web.lists import Filter, Listing
from docgen.backoffice.web.newattestation import PLACE, by_class
from docgen.errors import InvalidInput
from docgen.typography import NBSP, date_in_words, french

HEAVY = ("record", "region", "letterhead")
SHOWN = 12  # pictures of a page; the whole is a download away
WAYS = (
    ("signer", "À imprimer et à faire signer"),
    ("poster", "Original à poster"),
    ("recue", "Original reçu"),
)


class PostedForm(inputs.Form):
    """The day when the paper original left."""

    on = forms.DateField(label="Original posté le", widget=inputs.DateInput)


@school_screen(BACK_OFFICE, SCHOOL)
@require_GET
def listed(request: Asked, school: School) -> HttpResponseBase:
    """List the attestations of a school, and say what is on none yet."""
    rows = seen(Attestation, request).filter(school=school).select_related("original")
    years = rows.order_by("-school_year").values_list("school_year", flat=True).distinct()
    found = Listing(
        request,
        rows.defer(*HEAVY).annotate(held=Count("cessions")),
        sorts={"rang": ("-rank",), "periode": ("start_date",), "cessions": ("held",)},
        filters=(
            Filter(
                "annee",
                "Année scolaire",
                [(year, year) for year in years],
                "school_year",
                every="Toutes",
            ),
            Filter("etat", "État", WAYS, _of_way),
        ),
    )
    told = {"listing": found, "journeys": journeys(request, found.rows)}
    return page(request, "web/attestations/list.html", told | _waiting(request, school))


def _of_way(rows: QuerySet[Any], way: str) -> QuerySet[Any]:
    received = Q(original__received_at__isnull=False)
    if way == "recue":
        return rows.filter(received)
    rows = rows.exclude(received).annotate(is_back=ledger.is_returned())
    if way == "signer":
        return rows.filter(is_back=False)
    return rows.filter(is_back=True).exclude(original__posted_date__isnull=False)


def _waiting(request: Asked, school: School) -> dict[str, Any]:
    """Count what no attestation holds, since when, and what the next one would take off."""
    held = seen(Cession, request).filter(school=school, cancelled_at=None)
    counts = ledger.unattested(held).aggregate(
        waiting=Count("pk"),
        undated=Count("pk", filter=Q(ceded_date=None)),
        since=Min("ceded_date"),
    )
    attested = seen(AttestedCession, request).filter(school=school, withdrawn_by=None)
    gone = ledger.gone(attested).count()
    loans = seen(Loan, request).filter(school=school, returned_date=None).count()
    return {**counts, "school": school, "gone": gone, "loans": loans, "ceded": held.exists()}


@school_screen(BACK_OFFICE, SCHOOL)
@require_GET
def show(request: Asked, school: School, attestation: str) -> HttpResponseBase:
    """Show an attestation."""
    return _shown(request, _row(request, school, attestation))


def _shown(request: Asked, row: Attestation, form: PostedForm | None = None) -> HttpResponseBase:
    (journey,) = journeys(request, [row])
    held = attestations.frozen(row)
    sides = _sides(request, row)
    pupils, teachers = rules.count(held.rows)
    told = {
        "school": row.school,
        "row": row,
        "journey": journey,
        "held": held,
        "pupils": pupils,
        "teachers": teachers,
        "classes": by_class(held.rows),
        "files": [(_title(name), name.partition("-")[0]) for name in sorted(row.files)],
        "reference": row.references.get(originals.MAILED, ""),
        "sides": range(1, min(sides, SHOWN) + 1),
        "all_sides": sides,
        "region": row.region,
        "deliveries": _deliveries(request, row),
        "form": form or PostedForm(initial={"on": timezone.localdate()}),
    }
    status = 422 if form and form.errors else 0
    return page(request, "web/attestations/one.html", told, status=status)


def _title(name: str) -> str:
    return "Bordereau d’envoi" if name.startswith("bordereau") else "Attestation à signer"


def _deliveries(request: Asked, row: Attestation) -> list[tuple[Delivery, str]]:
    rows = seen(Delivery, request).filter(attestation=row).order_by("-version", "role")
    return [(each, str(Posting(each.stage).label)) for each in rows[:20]]


def _sides(request: Asked, row: Attestation) -> int:
    """Count the sides of the paper that is signed; 0 while it is not there."""
    rows = seen(Paper, request).filter(attestation=row, slug=originals.MAILED)
    paper = rows.order_by("-created_at", "-pk").first()
    return paper.sides if paper and row.files else 0


def _row(request: Asked, school: School, attestation: str) -> Attestation:
    rows = seen(Attestation, request).select_related("original", "school")
    return one(rows, school=school, public_id=attestation)


@school_screen(BACK_OFFICE, SCHOOL)
@require_GET
def picture(request: Asked, school: School, attestation: str, number: int) -> HttpResponseBase:
    """Draw a side of an attestation, counted from 1."""
    row = _row(request, school, attestation)
    kept = [sha256 for name, sha256 in row.files.items() if name.startswith("attestation")]
    if not kept or number < 1:
        raise Http404
    try:
        drawn = pictures.png(store.borrowed(kept[0]), number - 1)
    except (FileNotFoundError, IndexError) as error:
        raise Http404 from error
    return HttpResponse(drawn, content_type="image/png")


@school_screen(BACK_OFFICE, SCHOOL)
@require_POST
def retry(request: Asked, school: School, attestation: str) -> HttpResponseBase:
    """Make the papers of an attestation again, with the school as it was corrected."""
    row = _row(request, school, attestation)
    try:
        attestations.retry(row, request.who.label)
    except InvalidInput as error:
        warn(request, french(str(error)))
    else:
        say(request, "Le document est relancé, avec les informations de l’établissement à jour.")
    return redirect("attestation", school.pk, attestation)


@school_screen(BACK_OFFICE, SCHOOL)
@require_POST
def post(request: Asked, school: School, attestation: str) -> HttpResponseBase:
    """Record the day when the original was posted."""
    row, form = _row(request, school, attestation), PostedForm(request.POST)
    if form.is_valid():
        on = form.cleaned_data["on"]
        try:
            originals.posted(row, on, request.who.label, timezone.localdate())
        except InvalidInput as error:
            form.take(error, on="on")
        else:
            undo = reverse("attestation-unpost", args=[school.pk, attestation])
            when = date_in_words(on).replace(" ", NBSP)
            say(request, f"Original indiqué posté le {when}.", undo=undo)
            return redirect("attestation", school.pk, attestation)
    return _shown(request, row, form)


@school_screen(BACK_OFFICE, SCHOOL)
@require_POST
def unpost(request: Asked, school: School, attestation: str) -> HttpResponseBase:
    """Take back that the original was posted."""
    row = _row(request, school, attestation)
    try:
        originals.not_posted(row, request.who.label)
    except InvalidInput as error:
        warn(request, french(str(error)))
    else:
        say(request, "L’original n’est plus indiqué posté.")
    return redirect("attestation", school.pk, attestation)


ONE = f"{PLACE}<uuid:attestation>/"
urls: list[URLPattern] = [
    path(PLACE, listed, name="attestations"),
    *newattestation.urls,
    path(ONE, show, name="attestation"),
    path(f"{ONE}faces/<int:number>.png", picture, name="attestation-side"),
    path(f"{ONE}relancer/", retry, name="attestation-retry"),
    path(f"{ONE}poste/", post, name="attestation-post"),
    path(f"{ONE}poste/annuler/", unpost, name="attestation-unpost"),
]
