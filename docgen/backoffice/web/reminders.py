"""What is late, and was told to schools: once each."""

from django.db.models import Count, QuerySet
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from docgen.backoffice import arrivals
from docgen.backoffice.models import Reminder, School
from docgen.backoffice.web import departments
from docgen.backoffice.web.frame import BACK_OFFICE, REGION, Asked, page, screen, seen
from docgen.backoffice.web.lists import Filter, Listing

UNSAID = [f"attestation__{name}" for name in arrivals.UNSAID]


@require_safe
@screen(BACK_OFFICE, REGION)
def listed(request: Asked) -> HttpResponseBase:
    """List reminders, the newest first, and count them by kind."""
    rows = seen(Reminder, request).select_related("school", "attestation").defer(*UNSAID)
    uais = seen(School, request).values_list("pk", flat=True)
    listing = Listing(
        request,
        rows,
        search=("school__name", "school__uai"),
        sorts={
            "rappele": ("-raised_at",),
            "etablissement": ("school__name",),
            "retard": ("due_date",),
        },
        filters=(
            Filter("objet", "Objet", Reminder.Kind.choices, "kind"),
            Filter("dep", "Département", departments.choices(uais), _in_department),
        ),
        label="Établissement ou UAI",
    )
    found = seen(Reminder, request).values_list("kind").annotate(Count("pk")).order_by()
    counts = dict(found)
    told = {
        "listing": listing,
        "counts": [(kind, label, counts.get(kind, 0)) for kind, label in Reminder.Kind.choices],
    }
    return page(request, "web/reminders/list.html", told)


def _in_department(rows: QuerySet[Reminder], code: str) -> QuerySet[Reminder]:
    return rows.filter(school__uai__startswith=code)


urls: list[URLPattern] = [path("rappels/", listed, name="reminders")]
