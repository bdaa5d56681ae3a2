"""Documents that came home: listed, and told side by side."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from docgen.backoffice import reviews
from docgen.backoffice.models import Return, ScannedPage, School
from docgen.backoffice.web import batches, homecoming
from docgen.backoffice.web.frame import BACK_OFFICE, SCHOOL, Asked, one, page, school_screen, seen
from docgen.backoffice.web.lists import Filter, Listing

SORTS = {
    "change": ("-changed_at",),
    "reference": ("reference",),
    "classe": ("division", "reference"),
}


@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def listed(request: Asked, school: School) -> HttpResponseBase:
    """Show the documents of a school that came home, the last changed first."""
    rows = seen(Return, request).filter(school=school)
    slugs = rows.order_by("title").values_list("slug", "title").distinct()
    listing = Listing(
        request,
        rows.defer("sources"),
        search=("reference", "division", "document__title", "person"),
        sorts=SORTS,
        filters=(
            Filter("etat", "État", batches.STATES, batches.in_state),
            Filter("document", "Document", list(dict(slugs).items()), "slug"),
        ),
        label="Nom, classe ou référence",
    )
    facts: dict[str, Any] = {
        "school": school,
        "listing": listing,
        "homes": homecoming.told(request, listing.rows),
    }
    return page(request, "web/scans/returns.html", facts)


@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def whole(request: Asked, school: School, document: UUID) -> HttpResponseBase:
    """Show a document: its sides, where each comes from, what lacks, its signed file."""
    rows = seen(Return, request).select_related("document__volume", "paper__attestation")
    row = one(rows, school=school, pk=document)
    mine = seen(ScannedPage, request).filter(back=row).select_related("back")
    scanned = [homecoming.side(each) for each in mine.order_by("side", "pk")]
    is_known = homecoming.Outcome.KNOWN
    known = {each.row.side: each for each in scanned if each.row.outcome == is_known}
    facts: dict[str, Any] = {
        "school": school,
        "home": homecoming.told(request, [row])[0],
        "sides": [(side, known.get(side), side in row.needed) for side in range(1, row.sides + 1)],
        "doubles": [each for each in scanned if each.row.outcome != is_known],
        "is_binding": reviews.is_binding([row]),
        "sources": sorted(row.sources, key=lambda each: each["side"]),
    }
    return page(request, "web/scans/return.html", facts)


urls: list[URLPattern] = [
    path("etablissements/<str:uai>/retours/", listed, name="returns"),
    path("etablissements/<str:uai>/retours/<uuid:document>/", whole, name="return"),
]
