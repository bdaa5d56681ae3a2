"""Hand-over at the table: a serial, a pupil, done."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from docgen.backoffice import handovers, registers
from docgen.backoffice.models import AttestedCession, Cession, Device, Loan, Person, School
from docgen.backoffice.web.finding import MOST_FOUND, classes, find, is_enough
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
from docgen.backoffice.web.inputs import DateInput, Form
from docgen.errors import InvalidInput

LAST = 10


class DayForm(Form):
    """The day of the hand-overs that are typed."""

    date = forms.DateField(label="Date de remise", widget=DateInput)


@require_http_methods(["GET", "HEAD", "POST"])
@school_screen(BACK_OFFICE, SCHOOL)
def table(request: Asked, school: School) -> HttpResponseBase:
    """Take a serial, then a person; what is typed finds both, Enter takes the one that is found."""
    asked = request.POST if request.method == "POST" else request.GET
    kept = request.session.get(_key(school), {})
    if request.method == "POST" and "date" in asked:
        return _day(request, school, kept)
    text = asked.get("q", "").replace("\0", "").strip()[:100]
    division = asked.get("classe", kept.get("classe", ""))
    typed = asked.get("serie", "").replace("\0", "").strip()
    label = handovers.read_label(school, typed) if typed else None
    is_ready = label is not None and not label.problems
    found = find(request, school, text, division) if is_ready else []
    facts: dict[str, Any] = {"school": school, "label": label, "typed": typed}
    facts |= {"is_ready": is_ready, "text": text, "division": division, "found": found[:MOST_FOUND]}
    if is_ready and text and not found:
        facts |= _nobody(request, school, text, division)
    facts |= {"is_more": len(found) > MOST_FOUND, "is_asked": is_enough(text, division)}
    error = None
    # htmx looks while somebody types, by a form: a name goes into no address.
    is_search = request.method != "POST" or bool(request.htmx) or "chercher" in request.POST
    if label and is_ready and not is_search:
        request.session[_key(school)] = {**kept, "classe": division}
        person = _chosen(request, school, found)
        if person is not None:
            try:
                row = handovers.cede(person, label.serial, _date(kept), request.who.label)
            except InvalidInput as refused:
                error = refused
            else:
                undo = reverse("cession-cancel", args=(school.pk, row.pk))
                say(request, f"C’est fait\u00a0: la tablette {row.serial} est remise.", undo=undo)
                return redirect("handover", school.pk)
    return page(
        request,
        "web/handovers/table.html",
        facts | _of_day(request, school, kept, label),
        problems=error,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@school_screen(BACK_OFFICE, SCHOOL)
def cancel(request: Asked, school: School, cession: int) -> HttpResponseBase:
    """Take a cession off the register; one that is attested is asked first."""
    row = one(seen(Cession, request), school=school, pk=cession)
    held = AttestedCession.objects.filter(
        school=school, serial=row.serial, person=row.person.internal_id, withdrawn_by=None
    )
    is_attested = held.exists()
    is_sure = request.method == "POST" and (not is_attested or "confirmed" in request.POST)
    if not is_sure:
        consequence = "La tablette revient au stock."
        if is_attested:
            consequence += (
                " Cette cession est attestée\u00a0: la prochaine attestation la retirera."
            )
        facts = {
            "title": f"Annuler la cession de la tablette {row.serial}\u202f?",
            "consequence": consequence,
            "button": "Annuler la cession",
            "back": reverse("person", args=(school.pk, row.person_id)),
        }
        return page(request, "web/parts/confirm.html", facts)
    registers.cancel_cession(row, request.who.label)
    say(request, f"La cession de la tablette {row.serial} est annulée.")
    return redirect("handover", school.pk)


@require_POST
@school_screen(BACK_OFFICE, SCHOOL)
def set_date(request: Asked, school: School, cession: int) -> HttpResponseBase:
    """Say when a tablet was handed over, for a cession without a date."""
    row = one(seen(Cession, request), school=school, pk=cession)
    form = DayForm(request.POST)
    try:
        if not form.is_valid():
            raise InvalidInput("Cette date n’en est pas une.")
        handovers.date_cession(row, form.cleaned_data["date"], request.who.label)
    except InvalidInput as error:
        problem = error.problems[0]
        warn(request, f"{problem.what.capitalize()} {problem.remedy}")
    else:
        say(request, f"La cession de la tablette {row.serial} a sa date.")
    return redirect("person", school.pk, row.person_id)


def _day(request: Asked, school: School, kept: dict[str, str]) -> HttpResponseBase:
    """Keep the day of the next hand-overs, for as long as somebody is signed in."""
    form = DayForm(request.POST)
    if form.is_valid() and form.cleaned_data["date"].year in handovers.YEARS:
        day: date = form.cleaned_data["date"]
        request.session[_key(school)] = {**kept, "date": day.isoformat()}
        if day > timezone.localdate():
            warn(request, "Cette date n’est pas encore venue.")
    else:
        warn(request, "Cette date n’en est pas une\u00a0: elle n’a pas changé.")
    return redirect("handover", school.pk)


def _date(kept: dict[str, str]) -> date:
    return date.fromisoformat(kept["date"]) if kept.get("date") else timezone.localdate()


def _chosen(request: Asked, school: School, found: Iterable[Person]) -> Person | None:
    """Give who was taken: by their button, or by Enter when they alone are found."""
    if number := request.POST.get("personne", ""):
        is_number = number.isascii() and number.isdigit() and len(number) < 19
        return one(seen(Person, request), school=school, pk=int(number) if is_number else 0)
    if not request.POST.get("q", "").strip():
        return None
    people = list(found)
    return people[0] if len(people) == 1 else None


def _nobody(request: Asked, school: School, text: str, division: str) -> dict[str, Any]:
    """Look in every class for whom a class does not have; or see a tablet, scanned for a card."""
    serial = handovers.read_label(school, text).serial
    is_tablet = seen(Device, request).filter(school=school, serial=serial).exists()
    elsewhere = find(request, school, text, "") if division else []
    return {"elsewhere": elsewhere[:MOST_FOUND], "scanned": serial if is_tablet else ""}


def _of_day(
    request: Asked, school: School, kept: dict[str, str], label: handovers.Label | None
) -> dict[str, Any]:
    """Give what stands below: the day, its hand-overs, and who holds a tablet that is refused."""
    day = _date(kept)
    rows = seen(Cession, request).filter(school=school, cancelled_at=None, ceded_date=day)
    people = seen(Person, request).filter(school=school)
    facts = {
        "day": day,
        "is_today": day == timezone.localdate(),
        "day_form": DayForm(initial={"date": day}),
        "count": rows.count(),
        "rows": rows.select_related("person").order_by("-pk")[:LAST],
        "classes": classes(people),
        "is_known": people.filter(is_present=True).exists(),
    }
    if label is not None:
        same = {"school": school, "serial": label.serial}
        ceded = seen(Cession, request).filter(**same, cancelled_at=None)
        lent = seen(Loan, request).filter(**same, returned_date=None)
        facts |= {
            "ceded": ceded.select_related("person").first() if label.problems else None,
            "lent": lent.select_related("person").first() if label.problems else None,
            "device": seen(Device, request).filter(**same).first(),
        }
    return facts


def _key(school: School) -> str:
    return f"handover:{school.pk}"


urls: list[URLPattern] = [
    path("etablissements/<str:uai>/remise/", table, name="handover"),
    path("etablissements/<str:uai>/remise/<int:cession>/annuler/", cancel, name="cession-cancel"),
    path("etablissements/<str:uai>/remise/<int:cession>/date/", set_date, name="cession-date"),
]
