"""Third step of a print job: how. What it takes in paper and time is told as one chooses."""

from dataclasses import dataclass
from typing import cast

from django import forms
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from docgen import library, press
from docgen.backoffice import ordering
from docgen.backoffice.models import Person, School
from docgen.backoffice.web import drafts
from docgen.backoffice.web.drafts import Draft
from docgen.backoffice.web.frame import Asked, page, seen
from docgen.backoffice.web.inputs import DateInput, Form
from docgen.errors import InvalidInput, Problem
from docgen.manifest import Manifest
from docgen.records import Roster

MOST_TOLD = 50  # people who cannot be printed, by name


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody who cannot be printed, and why."""

    person: Person
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a draft takes; `left_out` are people who cannot be printed."""

    job: press.Job
    people: int
    documents: int
    sheets: int
    seconds: int | None
    classes: int
    left_out: frozenset[str]


class Options(Form):
    """How a job is printed."""

    on = forms.DateField(
        label="Jour",
        widget=DateInput(),
        help_text="Ce jour-là, chacun est mineur ou majeur\u00a0: son document en dépend.",
    )
    copies = forms.TypedChoiceField(label="Exemplaires par personne", coerce=int)
    ordering = forms.ChoiceField(
        label="Ordre des documents",
        choices=(("class", "Par classe, puis par nom"), ("name", "Par nom")),
        widget=forms.RadioSelect(),
    )
    separators = forms.BooleanField(
        label="Une feuille intercalaire devant chaque classe", required=False
    )
    profile = forms.ChoiceField(label="Profil de la presse (PDF/X-4)", required=False)

    def __init__(self, manifest: Manifest, *args: object, **values: object) -> None:
        super().__init__(*args, **values)  # type: ignore[arg-type]
        names = [name.removeprefix("Exemplaire ") for name in manifest.copies or press.COPIES]
        most = max(len(names), manifest.default_copies)
        several = ((n, f"{n}\u00a0: {', '.join(names[:n])}") for n in range(2, most + 1))
        copies = cast(forms.TypedChoiceField, self.fields["copies"])
        copies.choices = [(1, "1"), *several]
        installed = ordering.profiles()
        if installed:
            profile = cast(forms.ChoiceField, self.fields["profile"])
            profile.choices = [("", "Aucun"), *((name, name) for name in installed)]
        else:
            del self.fields["profile"]

    def clean(self) -> dict[str, object]:
        """Separators stand between classes: they ask for the order by class."""
        given = super().clean() or self.cleaned_data
        if given.get("separators") and given.get("ordering") == "name":
            what = (
                "Les intercalaires demandent l’ordre par classe\u00a0: choisissez l’un ou l’autre."
            )
            self.add_error("separators", what)
        return given


def options(request: Asked, school: School, draft: Draft) -> HttpResponseBase:
    """Choose the day, the copies, the order; see what it takes."""
    manifest = library.load(draft.slug).manifest
    first = {
        "on": draft.day,
        "copies": draft.copies or manifest.default_copies,
        "ordering": draft.ordering,
        "separators": draft.separators,
        "profile": draft.profile,
    }
    form = Options(manifest, request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        for name, value in form.cleaned_data.items():
            setattr(draft, name, value)
        if draft.on == timezone.localdate():
            draft.on = None
        draft.without = request.POST.get("sans") == "oui"
        drafts.keep(request, draft)
        if "calculer" in (request.POST.get("agir"), request.GET.get("agir")):
            return redirect(draft.address("options"))
    problems: list[Problem] = []
    estimate, refused = None, list[Refused]()
    if not form.errors:
        try:
            estimate, refused = measured(request, school, draft)
        except InvalidInput as error:
            problems = list(error.problems)
    if request.method == "POST" and form.is_valid() and estimate:
        problems = _undecided(draft, estimate)
        if not problems:
            return redirect(draft.address("apercu"))
    facts = {
        "school": school,
        "draft": draft,
        "manifest": manifest,
        "step": 3,
        "form": form,
        "estimate": estimate,
        "refused": refused,
        "constants": _constants(manifest, estimate),
    }
    status = 422 if form.errors else 0
    return page(request, "web/newjob/options.html", facts, problems=problems, status=status)


def measured(request: Asked, school: School, draft: Draft) -> tuple[Estimate, list[Refused]]:
    """Say what a draft takes, and who cannot be printed.

    Raises:
        InvalidInput: when nobody is chosen, or the school's own values are refused.
    """
    job, _ = drafts.job(request, school, draft)
    found = ordering.refused(job)
    people = len(list(job.people)) - len(found)
    documents = people * len(job.order.marks)
    estimate = Estimate(
        *(job, people, documents, ordering.sheets(job, len(found))),
        ordering.seconds(documents),
        len({each.division for each in job.people}),
        frozenset(found),
    )
    audience = job.order.template.manifest.audience
    rows = seen(Person, request).filter(school=school, audience=audience, internal_id__in=found)
    told = [Refused(row, found[row.internal_id]) for row in rows.order_by("rank")[:MOST_TOLD]]
    return estimate, told


def kept_people(roster: Roster, left_out: frozenset[str]) -> Roster:
    """Leave out of a roster those who cannot be printed."""
    return ordering.only(roster, {person.id for person in roster.people} - left_out)


def _undecided(draft: Draft, estimate: Estimate) -> list[Problem]:
    if not estimate.people:
        what = "aucun document ne peut être imprimé."
        return [Problem(what, "Personnes", "Complétez d’abord les fichiers de l’établissement.")]
    if estimate.left_out and not draft.without:
        what = "certaines personnes ne peuvent pas être imprimées."
        remedy = "Complétez leurs données, ou cochez «\u00a0Imprimer sans elles\u00a0»."
        return [Problem(what, "Personnes", remedy)]
    return []


def _constants(manifest: Manifest, estimate: Estimate | None) -> list[tuple[str, str, bool]]:
    """List what all the documents say alike: label, value, and whether it comes from files."""
    given = estimate.job.constants if estimate else {}
    return [
        (each.label, given.get(each.name, ""), bool(each.source))
        for each in manifest.fields
        if each.is_constant
    ]
