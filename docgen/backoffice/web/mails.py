"""Mails that came: what each was, what it brought, and what is decided of those put aside."""

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from docgen.backoffice import mails
from docgen.backoffice.api.mails import facts
from docgen.backoffice.models import Mail, School
from docgen.backoffice.web.frame import BACK_OFFICE, Asked, one, page, say, screen, seen, warn
from docgen.backoffice.web.lists import Filter, Listing
from docgen.errors import InvalidInput

TO_DECIDE = "a-decider"
CHOICES = ((TO_DECIDE, "à décider"), *Mail.Verdict.choices)


@require_safe
@screen(BACK_OFFICE)
def listed(request: Asked) -> HttpResponseBase:
    """List mails that came, the newest first; never who sent one, nor what it says."""
    listing = Listing(
        request,
        seen(Mail, request).select_related("school"),
        search=("school__name", "school__uai"),
        sorts={"recu": ("-created_at",), "etablissement": ("school__name",)},
        filters=(Filter("nature", "Nature", CHOICES, _of, every="Toutes"),),
        label="Établissement ou UAI",
    )
    told = {
        "listing": listing,
        "rows": [(row, facts(row)) for row in listing.rows],
        "to_decide": seen(Mail, request).filter(mails.AWAITING).count(),
    }
    return page(request, "web/mails/list.html", told)


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE)
def take(request: Asked, mail: str) -> HttpResponseBase:
    """Take in after all the scans of a mail that was put aside: a school's, or a pile."""
    row = one(seen(Mail, request), pk=mail)
    schools = seen(School, request).order_by("name")
    if request.method == "POST":
        uai = request.POST.get("school", "")
        school = one(schools, pk=uai) if uai else None
        return _decided(request, row, "Le courriel va être lu de nouveau.", school, is_taken=True)
    told: dict[str, Any] = {"row": row, "told": facts(row), "schools": schools}
    return page(request, "web/mails/take.html", told)


@require_POST
@screen(BACK_OFFICE)
def dismiss(request: Asked, mail: str) -> HttpResponseBase:
    """Say that a mail that was put aside is of no use."""
    row = one(seen(Mail, request), pk=mail)
    return _decided(request, row, "Le courriel est écarté. Vous pouvez encore le faire prendre.")


def _decided(
    request: Asked, row: Mail, told: str, school: School | None = None, *, is_taken: bool = False
) -> HttpResponseBase:
    try:
        if is_taken:
            mails.take(row, school, request.who)
        else:
            mails.dismiss(row, request.who)
    except InvalidInput as error:
        texts = (f"{each.what[:1].upper()}{each.what[1:]} {each.remedy}" for each in error.problems)
        warn(request, " ".join(texts))
    else:
        say(request, told)
    return redirect("mails")


def _of(rows: QuerySet[Mail], value: str) -> QuerySet[Mail]:
    return rows.filter(mails.AWAITING) if value == TO_DECIDE else rows.filter(verdict=value)


urls: list[URLPattern] = [
    path("boite/", listed, name="mails"),
    path("boite/<uuid:mail>/prendre/", take, name="mail-take"),
    path("boite/<uuid:mail>/ecarter/", dismiss, name="mail-dismiss"),
]
