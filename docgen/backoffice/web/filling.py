"""Forms made from manifests: filled as one types, ending in the document.

What is typed stays in the page: no row, no file and no log keeps it.
"""

import tomllib
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from django import forms as django_forms
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from docgen import library, single
from docgen.backoffice import models, prefilling, registers
from docgen.backoffice.models import Person
from docgen.backoffice.prefilling import Tablet
from docgen.backoffice.web import pictures
from docgen.backoffice.web.frame import BACK_OFFICE, SCHOOL, Asked, one, page, school_screen, seen
from docgen.backoffice.web.inputs import Form
from docgen.backoffice.web.lists import Filter, Listing
from docgen.backoffice.web.rowfields import MORE
from docgen.backoffice.web.valueforms import ValuesForm, initial
from docgen.errors import DocgenError, Problem, TemplateRejected
from docgen.library import Template
from docgen.rendering import flow
from docgen.single import Filled

NOBODY = "0"
SHOWN = 3  # pages of a preview
SIZE = 20
DPI = 70
BOX = "box-champ-"  # the place of a field: it asks to be checked when it changes
KINDS = {
    "form": ("Formulaires", "À remplir ici, à imprimer et à faire signer."),
    "notice": ("Notices et attestations sur l’honneur", "À remettre aux familles ou à joindre."),
    "charter": (
        "Chartes, une par une",
        "Pour une classe entière, ou pour suivre le retour signé, passez par « Impressions ».",
    ),
    "convention": ("Documents à compléter dans Word", "Ils se demandent depuis « Conventions »."),
}


class Choices(Form):
    """How a document is read and laid out, when its template leaves a choice."""

    def __init__(self, template: Template, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **options)
        manifest = template.manifest
        if len(manifest.variants) > 1:
            pairs = [(each.name, each.title) for each in manifest.variants]
            self.fields["variante"] = django_forms.ChoiceField(
                label="Pour qui ?",
                choices=pairs,
                widget=django_forms.RadioSelect,
                error_messages={"required": "Choisissez l’une des deux réponses."},
            )
        if len(manifest.layouts) > 1:
            pairs = [(each.name, each.title) for each in manifest.layouts]
            self.fields["mise-en-page"] = django_forms.ChoiceField(
                label="Mise en page", choices=pairs, initial=pairs[0][0]
            )


@dataclass(frozen=True)
class Asking:
    """What a form is about: a template, a school, and somebody in it with their tablet."""

    request: Asked
    school: models.School
    template: Template
    person: Person | None = None
    held: tuple[Tablet, ...] = ()
    tablet: Tablet | None = None

    def facts(self) -> dict[str, Any]:
        """Give what every page of a form shows."""
        return {
            "school": self.school,
            "template": self.template.manifest,
            "person": self.person,
            "held": self.held,
            "tablet": self.tablet,
            "is_about_somebody": prefilling.is_about_somebody(self.template),
        }


@school_screen(BACK_OFFICE, SCHOOL)
@require_safe
def listed(request: Asked, school: models.School) -> HttpResponseBase:
    """List the documents by what they are for."""
    found: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    refused: list[Problem] = []
    for slug in library.slugs():
        try:
            manifest = library.load(slug).manifest
        except TemplateRejected as error:
            refused += error.problems
            continue
        if manifest.kind == "attestation":
            continue  # its number and its fingerprint are kept by the register, never typed
        is_word = manifest.engine not in single.MAKERS
        found["convention" if is_word else manifest.kind].append(manifest)
    groups = [(*KINDS[kind], each, kind) for kind, each in found.items() if each]
    facts = {"school": school, "groups": groups, "problems": refused}
    return page(request, "web/filling/forms.html", facts)


@school_screen(BACK_OFFICE, SCHOOL)
@require_http_methods(["GET", "HEAD", "POST"])
def form(request: Asked, school: models.School, slug: str) -> HttpResponseBase:
    """Fill a document: who it is about, its values, what it will look like, the file."""
    template = _found(slug)
    if template.manifest.engine not in single.MAKERS:
        return redirect("conventions", school.pk)
    wanted = request.GET.get("personne", "")
    if not wanted and request.method != "POST" and prefilling.is_about_somebody(template):
        return _ask(request, school, template)
    asking = _asking(request, school, template, wanted)
    if request.method == "POST":
        return _sent(asking)
    return _shown(asking, *_prefilled(asking))


@school_screen(BACK_OFFICE, SCHOOL)
@require_safe
def example(request: Asked, school: models.School, slug: str) -> HttpResponseBase:
    """Show a document filled with the values of its sample, which are nobody's."""
    template = _found(slug)
    manifest = template.manifest
    if manifest.engine not in single.MAKERS:
        raise Http404
    facts = {"school": school, "template": manifest, "pages": _example(template.checksum, slug)}
    return page(request, "web/filling/example.html", facts)


@school_screen(BACK_OFFICE, SCHOOL)
@require_safe
def blank(request: Asked, school: models.School, slug: str) -> HttpResponseBase:
    """Send the empty form, to print and fill by hand or to fill in a reader of PDF."""
    template = _found(slug)
    names = [each.name for each in template.manifest.variants]
    variant = request.GET.get("variante", names[0])
    if variant not in names or template.manifest.engine not in single.MAKERS:
        raise Http404
    content = _blank(template.checksum, slug, variant)
    return _file(content, f"{slug}-vierge{f'-{variant}' if len(names) > 1 else ''}.pdf")


def _found(slug: str) -> Template:
    if slug not in library.slugs():
        raise Http404
    return library.load(slug)


def _ask(request: Asked, school: models.School, template: Template) -> HttpResponseBase:
    """Ask who the document is about."""
    people = seen(Person, request).filter(school=school, is_present=True)
    # "teacher" comes after "pupil": those whom the document is for come first
    order = "-audience" if template.manifest.audience == "teacher" else "audience"
    listing = Listing(
        request,
        people,
        search=("family_name", "usage_name", "first_name", "division"),
        sorts={"nom": (order, "family_name", "first_name")},
        filters=(Filter("public", "Public", Person.Audience.choices, "audience"),),
        size=SIZE,
        label="Nom, prénom ou classe",
    )
    facts = {"school": school, "template": template.manifest, "listing": listing}
    return page(request, "web/filling/person.html", facts)


def _asking(request: Asked, school: models.School, template: Template, wanted: str) -> Asking:
    if wanted in ("", NOBODY):
        return Asking(request, school, template)
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
        raise Http404
    people = seen(Person, request).filter(school=school).prefetch_related("guardians")
    person = one(people, pk=int(wanted))
    held = tuple(prefilling.tablets(person) if prefilling.is_about_a_tablet(template) else ())
    if prefilling.is_about_a_loan(template):
        held = tuple(sorted(held, key=lambda each: not each.is_loan))
    name = request.GET.get("tablette") or (held[0].name if held else "")
    tablet = next((each for each in held if each.name == name), None)
    return Asking(request, school, template, person, held, tablet)


def _prefilled(asking: Asking) -> tuple[ValuesForm, Choices]:
    manifest, today = asking.template.manifest, timezone.localdate()
    known = prefilling.facts(asking.school, today, asking.person, asking.tablet)
    values = initial(manifest.fields, known)
    if division := asking.request.GET.get("classe", ""):
        for each in _lists(asking.template):
            values[each.name] = prefilling.rows(asking.school, division, each.columns)
    chosen = {}
    age = asking.person and asking.person.birth_date and _is_adult(asking.person)
    if age is not None:
        chosen["variante"] = manifest.variant(bool(age)).name
    return ValuesForm(manifest, initial=values), Choices(asking.template, initial=chosen)


def _is_adult(person: Person) -> bool | None:
    return registers.person(person).is_adult(timezone.localdate())


def _lists(template: Template) -> list[Any]:
    """Give the lists that the pupils of a class can fill."""
    fields = [each for each in template.manifest.fields if each.type == "rows"]
    return [each for each in fields if any(column.source for column in each.columns)]


def _sent(asking: Asking) -> HttpResponseBase:
    """Answer what was sent: a field to check, a line more, or the whole to make."""
    sent, template = asking.request.POST, asking.template
    values = ValuesForm(template.manifest, sent)
    choices = Choices(template, sent)
    step = sent.get("etape", "")
    if (trigger := asking.request.htmx.trigger or "").startswith(BOX):
        values.keep_only(trigger.removeprefix(BOX))
        return _shown(asking, values, choices, status=HTTPStatus.OK)
    if step.startswith("lignes-") and step.removeprefix("lignes-") in values.fields:
        field: Any = values.fields[step.removeprefix("lignes-")]
        field.widget.blanks += MORE
    if step == "modifier" or step.startswith("lignes-"):
        values.keep_only("")
        return _shown(asking, values, choices, status=HTTPStatus.OK)
    if not (values.is_valid() & choices.is_valid()):
        return _shown(asking, values, choices)
    try:
        filled = prefilling.fill(
            template,
            values.given,
            choices.cleaned_data.get("mise-en-page", ""),
            choices.cleaned_data.get("variante", ""),
        )
    except DocgenError as error:
        values.take_values(error)
        return _shown(asking, values, choices)
    if step == "telecharger":
        return _file(filled.content, f"{template.manifest.slug}-{filled.reference}.pdf")
    return _preview(asking, filled)


def _preview(asking: Asking, filled: Filled) -> HttpResponseBase:
    sent = asking.request.POST
    kept = [(name, value) for name in sent for value in sent.getlist(name)]
    own = ("csrfmiddlewaretoken", "etape")
    facts = asking.facts() | {
        "kept": [(name, value) for name, value in kept if name not in own],
        "pages": _pictures(filled),
        "filled": filled,
    }
    return page(asking.request, "web/filling/preview.html", facts)


def _shown(
    asking: Asking, values: ValuesForm, choices: Choices, *, status: int = 0
) -> HttpResponseBase:
    wrong = HTTPStatus.UNPROCESSABLE_ENTITY if values.errors or choices.errors else HTTPStatus.OK
    classes = prefilling.divisions(asking.school) if _lists(asking.template) else []
    facts = asking.facts() | {
        "form": values,
        "choices": choices,
        "classes": classes,
        "division": asking.request.GET.get("classe", ""),
    }
    return page(asking.request, "web/filling/form.html", facts, status=status or wrong)


def _pictures(filled: Filled) -> list[str]:
    """Draw the first pages: pictures within the page, so that no address leads to them."""
    drawn = [pictures.png(filled.content, n, DPI) for n in range(min(SHOWN, filled.sides))]
    return [f"data:image/png;base64,{b64encode(each).decode()}" for each in drawn]


def _file(content: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@lru_cache(maxsize=32)
def _example(checksum: str, slug: str) -> list[str]:
    """Draw the sample of a template once for each of its versions."""
    template = library.load(slug)
    given = tomllib.loads(template.text("sample.toml"))
    return _pictures(prefilling.fill(template, given, "", template.manifest.variants[0].name))


@lru_cache(maxsize=32)
def _blank(checksum: str, slug: str, variant: str) -> bytes:
    """Lay an empty form out once for each version of its template."""
    template = library.load(slug)
    manifest = template.manifest
    (reading,) = (each for each in manifest.variants if each.name == variant)
    return flow.blank(template, manifest.layouts[0], reading)


urls: list[URLPattern] = [
    path("etablissements/<str:uai>/formulaires/", listed, name="forms"),
    path("etablissements/<str:uai>/formulaires/<slug:slug>/", form, name="form"),
    path("etablissements/<str:uai>/formulaires/<slug:slug>/exemple/", example, name="form-example"),
    path("etablissements/<str:uai>/formulaires/<slug:slug>/vierge.pdf", blank, name="form-blank"),
]
