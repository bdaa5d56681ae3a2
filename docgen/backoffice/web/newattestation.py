"""A new attestation: two dates, what it will hold and what it will not, then its issue."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Max, Min
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from docgen import attestations as rules
from docgen.backoffice import attestations, ledger
from docgen.backoffice.models import Attestation, Cession, Loan, School
from docgen.backoffice.web import inputs
from docgen.backoffice.web.frame import (
    BACK_OFFICE,
    SCHOOL,
    Asked,
    page,
    say,
    school_screen,
    seen,
)
from docgen.errors import InvalidInput, Problem
from docgen.typography import NBSP

PLACE = "etablissements/<str:uai>/attestations/"
NAMED = 100  # cessions named in a list of those left out
CHANGED = Problem(
    "le registre a changé depuis que vous avez regardé ce que l’attestation contiendrait.",
    "",
    "Vérifiez de nouveau son contenu, puis confirmez.",
)


class PeriodForm(inputs.Form):
    """The two dates of the distribution; `retrait` confirms what comes off."""

    debut = forms.DateField(label="Premier jour de distribution", widget=inputs.DateInput)
    fin = forms.DateField(label="Dernier jour de distribution", widget=inputs.DateInput)
    retrait = forms.BooleanField(
        label="Retirer les cessions annulées ou corrigées depuis qu’elles ont été attestées",
        required=False,
    )


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How many cessions a list holds for a class; teachers are a class of their own."""

    name: str
    count: int
    rows: list[rules.Row]


@dataclass(frozen=True, slots=True)
class Left:
    """Cessions that an attestation leaves out for one reason: why, and what to do."""

    why: str
    remedy: str
    entries: list[rules.Entry]

    @property
    def shown(self) -> list[rules.Entry]:
        """Give those that are named; a list of all would be long."""
        return self.entries[:NAMED]


@school_screen(BACK_OFFICE, SCHOOL)
@require_GET
def new(request: Asked, school: School) -> HttpResponseBase:
    """Ask for the dates, and show at once what the attestation would hold."""
    usual = _usual(request, school)
    is_asked = "debut" in request.GET or "fin" in request.GET
    form = PeriodForm(request.GET if is_asked else usual)
    told: dict[str, Any] = {"school": school, "form": form}
    if form.is_valid():
        told |= _foreseen(request, school, form.cleaned_data)
    return page(request, "web/attestations/new.html", told, status=0 if is_asked else 200)


def _usual(request: Asked, school: School) -> dict[str, date]:
    """Guess the dates: from the day after the last attestation, to the last tablet handed over."""
    today = timezone.localdate()
    last = seen(Attestation, request).filter(school=school).aggregate(end=Max("end_date"))["end"]
    rows = seen(Cession, request).filter(school=school, cancelled_at=None)
    days = ledger.unattested(rows).aggregate(first=Min("ceded_date"), last=Max("ceded_date"))
    start = last + timedelta(days=1) if last else days["first"] or today
    end = min(max(days["last"] or today, start), today)
    return {"debut": min(start, today), "fin": end}


def _foreseen(request: Asked, school: School, asked: dict[str, Any]) -> dict[str, Any]:
    """Tell what an attestation would hold, what it would not and why, and the way to issue it."""
    start, end, withdraw = asked["debut"], asked["fin"], asked["retrait"]
    found = attestations.preview(school, start, end, timezone.localdate(), withdraw=withdraw)
    needs_withdrawal = any("retrait" in each.remedy for each in found.problems)
    told: dict[str, Any] = {
        "found": found,
        "left": list(_left(found.later, start, end)),
        "loans": seen(Loan, request).filter(school=school, returned_date=None).count(),
        "asks_withdrawal": needs_withdrawal or withdraw,
        "reasons": found.problems,
    }
    if held := found.attestation:
        pupils, teachers = rules.count(held.rows)
        told |= {"held": held, "pupils": pupils, "teachers": teachers}
        told |= {"classes": by_class(held.rows), "late": held.late, "issue": _issue(school, asked)}
        told["issue"] += f"&{urlencode({'sceau': held.sha256})}"
    return told


def _issue(school: School, asked: dict[str, Any]) -> str:
    query = {"debut": asked["debut"].isoformat(), "fin": asked["fin"].isoformat()}
    if asked["retrait"]:
        query["retrait"] = "on"
    return f"{reverse('attestation-issue', args=[school.pk])}?{urlencode(query)}"


def _left(later: Iterable[rules.Entry], start: date, end: date) -> Iterable[Left]:
    """Sort what is left out by its reason."""
    entries = sorted(later, key=lambda each: (each.ceded_date or date.max, each.serial))
    reasons = (
        (
            "sans date de remise",
            "Complétez leur date, à la remise ou dans vos fichiers.",
            lambda day: day is None,
        ),
        (
            "remises avant cette période",
            "Avancez le premier jour pour les prendre.",
            lambda day: day is not None and day < start,
        ),
        (
            "remises après cette période",
            "Elles entreront dans l’attestation suivante, ou reculez le dernier jour.",
            lambda day: day is not None and day > end,
        ),
        (
            "remises pendant cette période",
            "Elles entreront dès que ce qui empêche l’attestation sera corrigé.",
            lambda day: day is not None and start <= day <= end,
        ),
    )
    for why, remedy, holds in reasons:
        if chosen := [each for each in entries if holds(each.ceded_date)]:
            yield Left(why, remedy, chosen)


def by_class(rows: tuple[rules.Row, ...]) -> list[ClassCount]:
    """Count cessions by class, in the order in which the paper lists them."""
    found: dict[str, list[rules.Row]] = {}
    for row in rows:
        name = row.division or "Sans classe"
        found.setdefault("Professeurs" if row.audience == "teacher" else name, []).append(row)
    return [ClassCount(name, len(each), each) for name, each in found.items()]


@school_screen(BACK_OFFICE, SCHOOL)
@require_http_methods(["GET", "POST"])
def issue(request: Asked, school: School) -> HttpResponseBase:
    """Ask whether to issue, with the consequence; then issue."""
    form = PeriodForm(request.GET)
    back = f"{reverse('attestation-new', args=[school.pk])}?{request.GET.urlencode()}"
    if not form.is_valid():
        return redirect(back)
    asked, today = form.cleaned_data, timezone.localdate()
    period, withdraw = (asked["debut"], asked["fin"]), asked["retrait"]
    found = attestations.preview(school, *period, today, withdraw=withdraw)
    if found.attestation is None:
        return redirect(back)
    held, problems = found.attestation, None
    if request.method == "POST":
        seal = request.POST.get("sceau", "")
        if seal and seal != held.sha256:
            problems = [CHANGED]
        else:
            try:
                row = attestations.issue(
                    school, *period, today, request.who.label, withdraw=withdraw
                )
            except InvalidInput:  # something changed just now: the page of the dates says what
                return redirect(back)
            said = f"L’attestation n°{NBSP}{row.number} est éditée. Son document se prépare."
            say(request, said)
            return redirect("attestation", school.pk, row.public_id)
    counts = Counter(row.audience for row in held.rows)
    told = {"school": school, "held": held, "back": back, "counts": counts}
    told["seal"] = held.sha256 if problems else request.GET.get("sceau", held.sha256)
    return page(request, "web/attestations/issue.html", told, problems=problems)


urls: list[URLPattern] = [
    path(f"{PLACE}nouvelle/", new, name="attestation-new"),
    path(f"{PLACE}nouvelle/confirmer/", issue, name="attestation-issue"),
]
