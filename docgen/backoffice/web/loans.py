"""Loans: in stock, lend, return with its receipt."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from docgen import attestations as rules
from docgen.backoffice import handovers, loan_receipts, reminders
from docgen.backoffice.models import Cession, Device, Loan, Person, School
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
from docgen.backoffice.web.lists import Listing
from docgen.errors import DocgenError, InvalidInput

SEARCH = ("serial", "person__family_name", "person__first_name", "person__division")
STOCK, LENT, LATE, BACK = "stock", "pretees", "retard", "rendues"
BY_DEVICE = {"serie": ("serial",), "modele": ("model", "serial")}
BY_END = {
    "retour": ("end_date", "serial"),
    "nom": ("person__family_name", "person__first_name"),
    "serie": ("serial",),
}
BY_RETURN = {"rendue": ("-returned_date", "-pk"), "nom": BY_END["nom"], "serie": ("serial",)}


class LendForm(Form):
    """The days of a loan, and how the tablet leaves."""

    start_date = forms.DateField(label="Début du prêt", widget=DateInput)
    end_date = forms.DateField(label="Retour prévu", widget=DateInput)
    state = forms.CharField(
        label="État de la tablette",
        required=False,
        max_length=200,
        help_text="Ce qui se voit\u00a0: rayures, housse absente… La convention le reprend.",
    )


class ReturnForm(Form):
    """The day when a tablet came back, and how."""

    returned_date = forms.DateField(label="Date du retour", widget=DateInput)
    state = forms.ChoiceField(
        label="État de la tablette",
        choices=[(value, label.capitalize()) for value, label in Loan.Condition.choices],
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez dans quel état elle est revenue."},
    )
    note = forms.CharField(
        label="Observations",
        required=False,
        max_length=200,
        help_text="Ce qui manque ou ce qui est abîmé. Le reçu le reprend.",
    )


@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def listed(request: Asked, school: School) -> HttpResponseBase:
    """List the loans of a school, the late ones first, or the tablets that can be lent."""
    today = timezone.localdate()
    rows = seen(Loan, request).filter(school=school)
    counts = rows.aggregate(
        pretees=Count("pk", filter=Q(returned_date=None)),
        retard=Count("pk", filter=Q(returned_date=None, end_date__lt=today)),
        rendues=Count("pk", filter=Q(returned_date__isnull=False)),
    )
    same = {"school": OuterRef("school"), "serial": OuterRef("serial")}
    free = seen(Device, request).filter(
        ~Exists(Cession.objects.filter(**same, cancelled_at=None)),
        ~Exists(Loan.objects.filter(**same, returned_date=None)),
        school=school,
    )
    counts[STOCK] = free.count()
    tab = request.GET.get("etat", LENT)
    tab = tab if tab in counts else LENT
    if tab == STOCK:
        listing = _Tab(request, free, tab, search=("serial", "model"), sorts=BY_DEVICE)
    else:
        known = rows.select_related("person").filter(returned_date__isnull=tab != BACK)
        if tab == LATE:
            known = known.filter(end_date__lt=today)
        sorts = BY_RETURN if tab == BACK else BY_END
        label = "Nom, classe ou n° de série"
        listing = _Tab(request, known, tab, search=SEARCH, sorts=sorts, label=label)
    names = ((LENT, "En prêt"), (LATE, "En retard"), (BACK, "Rendues"), (STOCK, "Au stock"))
    tabs = [(name, label, counts[name]) for name, label in names]
    facts = {"school": school, "listing": listing, "tab": tab, "tabs": tabs, "today": today}
    return page(request, "web/loans/list.html", facts)


class _Tab(Listing):
    """A listing behind a tab, which stays when the list is searched, sorted or turned."""

    def __init__(self, request: Asked, rows: Any, tab: str, **options: Any) -> None:  # noqa: ANN401
        self.tab = tab
        super().__init__(request, rows, **options)

    def link(self, **changes: str | int) -> str:
        """Give the address of this list with something else asked for."""
        return super().link(**({"etat": self.tab} | changes))


@require_http_methods(["GET", "HEAD", "POST"])
@school_screen(BACK_OFFICE, SCHOOL)
def lend(request: Asked, school: School) -> HttpResponseBase:
    """Lend a tablet: its serial, then somebody, then the days."""
    typed = request.GET.get("serie", "").replace("\0", "").strip()
    label = handovers.read_label(school, typed) if typed else None
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    division = request.GET.get("classe", "")
    person = _asked(request, school)
    facts = {"school": school, "typed": typed, "label": label, "person": person}
    facts |= {"text": text, "division": division}
    if label is None or label.problems:
        return page(request, "web/loans/serial.html", facts)
    if person is None:
        found = find(request, school, text, division)
        people = seen(Person, request).filter(school=school)
        facts |= {"found": found[:MOST_FOUND], "is_more": len(found) > MOST_FOUND}
        facts |= {"is_asked": is_enough(text, division), "classes": classes(people)}
        return page(request, "web/loans/person.html", facts)
    form = LendForm(request.POST or None, initial=_usual_days())
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        days = told["start_date"], told["end_date"]
        try:
            row = handovers.lend(person, label.serial, days, told["state"], request.who.label)
        except InvalidInput as error:
            form.take(error, start_date="start_date", end_date="end_date")
        else:
            undo = reverse("loan-drop", args=(school.pk, row.pk))
            say(request, f"La tablette {row.serial} est prêtée.", undo=undo)
            return redirect("loan", school.pk, row.pk)
    facts |= {
        "form": form,
        "device": seen(Device, request).filter(school=school, serial=label.serial).first(),
    }
    return page(request, "web/loans/lend.html", facts, status=422 if form.errors else 0)


@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def show(request: Asked, school: School, loan: int) -> HttpResponseBase:
    """Show a loan: who, until when, and what can be done."""
    row = one(seen(Loan, request).select_related("person"), school=school, pk=loan)
    device = seen(Device, request).filter(school=school, serial=row.serial).first()
    facts = {"school": school, "loan": row, "device": device, "today": timezone.localdate()}
    return page(request, "web/loans/loan.html", facts)


@require_http_methods(["GET", "HEAD", "POST"])
@school_screen(BACK_OFFICE, SCHOOL)
def take_back(request: Asked, school: School, loan: int) -> HttpResponseBase:
    """Record that a tablet came back, and how."""
    row = one(seen(Loan, request).select_related("person"), school=school, pk=loan)
    if row.returned_date is not None and request.method != "POST":
        return redirect("loan", school.pk, row.pk)
    form = ReturnForm(request.POST or None, initial={"returned_date": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        on, how = told["returned_date"], {"state": told["state"], "note": told["note"]}
        try:
            handovers.take_back(row, on, request.who.label, **how)
        except InvalidInput as error:
            form.take(error, returned_date="returned_date")
        else:
            undo = reverse("loan-not-back", args=(school.pk, row.pk))
            say(request, f"La tablette {row.serial} est rendue.", undo=undo)
            return redirect("loan", school.pk, row.pk)
    facts = {"school": school, "loan": row, "form": form, "today": timezone.localdate()}
    return page(request, "web/loans/return.html", facts, status=422 if form.errors else 0)


@require_POST
@school_screen(BACK_OFFICE, SCHOOL)
def not_back(request: Asked, school: School, loan: int) -> HttpResponseBase:
    """Take back that a tablet came back."""
    row = one(seen(Loan, request), school=school, pk=loan)
    try:
        handovers.not_back(row, request.who.label)
    except InvalidInput as error:
        warn(request, f"Ce retour ne peut plus être annulé\u00a0: {error.problems[0].what}")
    else:
        say(request, f"Le retour de la tablette {row.serial} est annulé\u00a0: le prêt continue.")
    return redirect("loan", school.pk, row.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@school_screen(BACK_OFFICE, SCHOOL)
def drop(request: Asked, school: School, loan: int) -> HttpResponseBase:
    """Take back a loan that never was."""
    row = one(seen(Loan, request), school=school, pk=loan)
    back = reverse("loan", args=(school.pk, row.pk))
    if request.method != "POST":
        facts = {
            "title": f"Annuler le prêt de la tablette {row.serial}\u202f?",
            "consequence": "Comme s’il n’avait jamais été saisi. Si elle vous a été rendue, "
            "enregistrez plutôt son retour.",
            "button": "Annuler le prêt",
            "back": back,
        }
        return page(request, "web/parts/confirm.html", facts)
    try:
        handovers.drop_loan(row, request.who.label)
    except InvalidInput as error:
        warn(request, f"{error.problems[0].what.capitalize()} {error.problems[0].remedy}")
        return redirect(back)
    say(request, f"Le prêt de la tablette {row.serial} est annulé.")
    return redirect("loans", school.pk)


@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def receipt(request: Asked, school: School, loan: int) -> HttpResponseBase:
    """Give the receipt of a tablet that came back, to sign by both."""
    rows = seen(Loan, request).select_related("person", "school")
    row = one(rows, school=school, pk=loan)
    if row.returned_date is None:
        warn(request, "Le reçu se fait au retour de la tablette\u00a0: enregistrez-le d’abord.")
        return redirect("loan-return", school.pk, row.pk)
    try:
        made = loan_receipts.make(row)
    except DocgenError as error:
        facts = {"school": school, "loan": row, "today": timezone.localdate()}
        return page(request, "web/loans/loan.html", facts, problems=error)
    answer = HttpResponse(made.content, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="recu-retour-{made.reference}.pdf"'
    return answer


def _asked(request: Asked, school: School) -> Person | None:
    """Give the person that the address names by number."""
    number = request.GET.get("personne", "")
    if not number:
        return None
    is_number = number.isascii() and number.isdigit() and len(number) < 19
    return one(seen(Person, request), school=school, pk=int(number) if is_number else 0)


def _usual_days() -> dict[str, date]:
    """Give the usual days of a loan: from today to the end of the school year."""
    today = timezone.localdate()
    end = reminders.read_rules(settings.DATA).last_day(rules.school_year(today))
    return {"start_date": today, "end_date": max(end, today + timedelta(days=1))}


PLACE = "etablissements/<str:uai>/prets/"
urls: list[URLPattern] = [
    path(PLACE, listed, name="loans"),
    path(f"{PLACE}nouveau/", lend, name="loan-new"),
    path(f"{PLACE}<int:loan>/", show, name="loan"),
    path(f"{PLACE}<int:loan>/retour/", take_back, name="loan-return"),
    path(f"{PLACE}<int:loan>/retour/annuler/", not_back, name="loan-not-back"),
    path(f"{PLACE}<int:loan>/annuler/", drop, name="loan-drop"),
    path(f"{PLACE}<int:loan>/recu.pdf", receipt, name="loan-receipt"),
]
