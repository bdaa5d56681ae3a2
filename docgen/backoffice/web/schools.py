"""Schools, as the back office sees them; and the record of one, that it may mend itself."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_safe

from docgen import records
from docgen.backoffice import ledger, registers
from docgen.backoffice.models import Attestation, Cession, Person, Role, School, State, User
from docgen.backoffice.web.frame import (
    BACK_OFFICE,
    SCHOOL,
    Asked,
    page,
    say,
    school_screen,
    screen,
    seen,
)
from docgen.backoffice.web.inputs import Form
from docgen.backoffice.web.lists import Filter, Listing
from docgen.errors import InvalidInput
from docgen.identifiers import normalise, postal_code, postal_code_problem, uai_problem

MOST_LINES = 6  # of an address
LINE = 200  # characters
PRINTABLE = RegexValidator(
    r"^[^\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]*$",
    "un caractère invisible s’y trouve\u00a0; ressaisissez-le.",
)
SITUATIONS = (
    ("sans-personne", "Sans élève ni professeur"),
    ("a-attester", "Cessions à attester"),
    ("attendue", "Attestation attendue"),
    ("sans-compte", "Sans compte ouvert"),
)


@require_safe
@screen(BACK_OFFICE)
def schools(request: Asked) -> HttpResponse:
    """List the schools, with how far each is."""
    rows = seen(School, request).annotate(
        people_count=_count(seen(Person, request).filter(is_present=True)),
        cession_count=_count(seen(Cession, request).filter(cancelled_at=None)),
        attested_count=_count(_issued(request)),
        returned_count=_count(_issued(request).filter(ledger.is_returned())),
    )
    sorts = {
        "nom": ("name",),
        "uai": ("uai",),
        "commune": ("city", "name"),
        "personnes": ("-people_count",),
        "cessions": ("-cession_count",),
        "attestations": ("-attested_count",),
        "revenues": ("-returned_count",),
    }
    situation = Filter("situation", "Situation", SITUATIONS, _in_situation, every="Toutes")
    listing = Listing(
        request,
        rows,
        search=("name", "uai", "city"),
        sorts=sorts,
        filters=(situation,),
        label="Nom, UAI ou commune",
    )
    return page(request, "web/schools/schools.html", {"listing": listing})


def _issued(request: Asked) -> QuerySet[Attestation]:
    return seen(Attestation, request).exclude(state=State.CANCELLED)


def _count(rows: QuerySet[Any]) -> Coalesce:
    """Count the rows of a school: by an index, and for the schools that are shown alone."""
    counted = rows.filter(school=OuterRef("pk")).order_by().values("school")
    return Coalesce(Subquery(counted.annotate(n=Count("pk")).values("n")), 0)


def _in_situation(rows: QuerySet[School], value: str) -> QuerySet[School]:
    own = OuterRef("pk")
    if value == "sans-personne":
        return rows.exclude(Exists(Person.objects.filter(school=own, is_present=True)))
    if value == "a-attester":
        cessions = Cession.objects.filter(school=own, cancelled_at=None)
        return rows.filter(Exists(ledger.unattested(cessions)))
    if value == "sans-compte":
        return rows.exclude(Exists(User.objects.filter(school=own, is_active=True)))
    issued = Attestation.objects.filter(school=own).exclude(state=State.CANCELLED)
    return rows.filter(Exists(issued.exclude(ledger.is_returned())))


def _text(label: str, most: int, *, required: bool = True, **options: Any) -> forms.CharField:  # noqa: ANN401
    return forms.CharField(
        label=label, max_length=most, required=required, validators=[PRINTABLE], **options
    )


class SchoolForm(Form):
    """What is kept of a school, as its letters and its documents say it."""

    name = _text("Nom de l’établissement", 200)
    address = _text(
        "Adresse",
        MOST_LINES * (LINE + 2),
        help_text="Une ligne par ligne, six au plus, sans le code postal ni la commune.",
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )
    postal_code = _text(
        "Code postal", 10, widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 8})
    )
    city = _text("Commune", 100)
    email = forms.EmailField(
        label="Courriel de l’établissement",
        max_length=254,
        required=False,
        help_text="C’est là que docgen envoie accusés de réception, copies et rappels.",
    )
    phone = _text("Téléphone", 30, required=False)
    head_civility = forms.ChoiceField(
        label="Civilité du chef d’établissement",
        choices=[("", "Sans"), ("Mme", "Mme"), ("M.", "M.")],
        required=False,
    )
    head_name = _text("Nom du chef d’établissement", 100, help_text="Prénom et nom.")
    head_title = _text(
        "Sa qualité", 100, help_text="Par exemple\u00a0: Proviseure, Principal, Directeur."
    )

    def clean_address(self) -> tuple[str, ...]:
        """Give the lines of the address."""
        text: str = self.cleaned_data["address"]
        lines = tuple(line for each in text.splitlines() if (line := each.strip()))
        if len(lines) > MOST_LINES or any(len(line) > LINE for line in lines):
            said = f"{MOST_LINES} lignes au plus, de {LINE} caractères au plus chacune."
            raise forms.ValidationError(said)
        return lines

    def clean_postal_code(self) -> str:
        """Give back the zero that a spreadsheet took."""
        code = postal_code(self.cleaned_data["postal_code"])
        if problem := postal_code_problem(code):
            raise forms.ValidationError(problem[:1].upper() + problem[1:])
        return code

    def record(self, uai: str) -> records.School:
        """Give the school as a record."""
        facts = self.cleaned_data
        head = records.Head(facts["head_civility"], facts["head_name"], facts["head_title"])
        return records.School(
            *(uai, facts["name"], facts["address"], facts["postal_code"], facts["city"]),
            *(facts["email"], facts["phone"], head),
        )


class NewSchoolForm(SchoolForm):
    """A school that is not known yet."""

    uai = _text(
        "UAI", 12, help_text="Sept chiffres et une lettre, par exemple 0130010R (l’ancien RNE)."
    )
    field_order = ("uai",)

    def clean_uai(self) -> str:
        """Take a UAI whose letter is right, and that no school has."""
        uai = normalise(self.cleaned_data["uai"])
        if problem := uai_problem(uai):
            raise forms.ValidationError(problem[:1].upper() + problem[1:])
        if School.objects.filter(pk=uai).exists():
            said = "Un établissement porte déjà cet UAI\u00a0: cherchez-le dans la liste."
            raise forms.ValidationError(said)
        return uai


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE)
def add(request: Asked) -> HttpResponseBase:
    """Make a school known."""
    form = NewSchoolForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        uai = form.cleaned_data["uai"]
        if _kept(request, form, uai):
            said = "Établissement ajouté. Ouvrez-lui un compte, puis importez ses fichiers."
            say(request, said)
            return redirect("school", uai)
    return page(request, "web/schools/add.html", {"form": form}, status=422 if form.errors else 0)


@require_http_methods(["GET", "HEAD", "POST"])
@school_screen(BACK_OFFICE, SCHOOL)
def record(request: Asked, school: School) -> HttpResponseBase:
    """Show and mend the record of a school: what its documents say of it."""
    form = SchoolForm(request.POST or None, initial=_initial(school))
    if request.method == "POST" and form.is_valid() and _kept(request, form, school.pk):
        say(request, "Fiche enregistrée. Les prochains documents la reprennent.")
        return redirect("school-record", school.pk)
    facts = {
        "form": form,
        "school": school,
        "accounts": school.user_set.filter(is_active=True).count(),
        "is_office": request.user.role == Role.BACK_OFFICE,
    }
    return page(request, "web/schools/record.html", facts, status=422 if form.errors else 0)


def _initial(school: School) -> dict[str, object]:
    names = [name for name in SchoolForm.base_fields if name != "address"]
    return {"address": "\n".join(school.address), **{name: getattr(school, name) for name in names}}


def _kept(request: Asked, form: SchoolForm, uai: str) -> bool:
    try:
        registers.keep_school(form.record(uai), request.who.label)
    except InvalidInput as error:
        form.take(error)
        return False
    return True


urls: list[URLPattern] = [
    path("etablissements/", schools, name="schools"),
    path("nouvel-etablissement/", add, name="school-add"),
    path("etablissements/<str:uai>/fiche/", record, name="school-record"),
]
