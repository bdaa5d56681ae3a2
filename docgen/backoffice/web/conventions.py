"""Customised conventions to download, and the school's own models."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Count, F, Func, IntegerField, QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from docgen import library
from docgen.backoffice import conventions
from docgen.backoffice.models import Conversion, Loan, School, SchoolModel, State
from docgen.backoffice.web import inputs
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
from docgen.backoffice.web.lists import Filter, Listing
from docgen.backoffice.web.uploads import bounded
from docgen.errors import InvalidInput, Problem
from docgen.manifest import Manifest
from docgen.rendering.wordpackage import MAX_FILE
from docgen.typography import NBSP, french

ALL, CLASS, LOAN = "tous", "classe:", "pret:"
WORKING = (State.WAITING, State.CLAIMED)
SIZE = 20  # orders of a page
SLACK = 1 << 20  # what a form says beside its file
FORMATS = (
    ("docx", "Word (.docx), modifiable"),
    ("doc", "Word 97-2003 (.doc), modifiable"),
    ("odt", "LibreOffice (.odt), modifiable"),
    ("pdf", "PDF, à imprimer tel quel"),
)
MERGED = (("non", "Un fichier par prêt"), ("oui", "Un seul fichier, au format .docx"))
STATES = [(State.DONE, "Prête"), (State.FAILED, "Refusée")]
WORD = ".docx,application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class ArrayLength(Func):
    """The number of items of a JSON list."""

    function = "JSONB_ARRAY_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:  # noqa: ANN401
        """SQLite has its own name for it."""
        return super().as_sql(compiler, connection, function="JSON_ARRAY_LENGTH", **extra)


@dataclass(frozen=True, slots=True)
class Model:
    """A convention: ours, and what the school made of it."""

    manifest: Manifest
    own: SchoolModel | None
    is_mine: bool

    @property
    def audience(self) -> str:
        """Say whom it is for."""
        return "des élèves" if self.manifest.audience == "pupil" else "des personnels"


class OrderForm(inputs.Form):
    """What to fill, for whom, and as what."""

    modele = forms.ChoiceField(label="Convention", widget=forms.RadioSelect)
    prets = forms.ChoiceField(label="Prêts", help_text="Seuls les prêts en cours sont proposés.")
    format = forms.ChoiceField(label="Format", choices=FORMATS, initial="docx")
    regroupe = forms.ChoiceField(
        label="Fichiers", choices=MERGED, initial="non", widget=forms.RadioSelect
    )

    def __init__(
        self,
        shelf: list[Manifest],
        scopes: list[tuple[str, str]],
        data: Any = None,  # noqa: ANN401
        **values: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(data, **values)
        titles = [(each.slug, each.title) for each in shelf]
        self.fields["modele"].choices = titles  # type: ignore[attr-defined]
        self.fields["prets"].choices = scopes  # type: ignore[attr-defined]


class ModelForm(inputs.Form):
    """A model that a school edited."""

    fichier = forms.FileField(
        label="Votre modèle modifié (.docx)",
        widget=forms.FileInput(attrs={"accept": WORD}),
        allow_empty_file=True,  # its own check says what is wrong with it
    )

    def clean_fichier(self) -> Any:  # noqa: ANN401 - Django's own type
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["fichier"]
        if file.size > MAX_FILE:
            what = f"Ce modèle dépasse {MAX_FILE >> 20}{NBSP}Mo. Retirez les images lourdes."
            raise forms.ValidationError(what)
        return file


def shelf() -> list[Manifest]:
    """Give the conventions that loans fill, pupils' first."""
    found = [
        each.manifest
        for each in library.load_all()
        if each.manifest.engine == "word" and each.manifest.kind == "convention"
    ]
    return sorted(found, key=lambda each: (each.audience != "pupil", each.slug))


@school_screen(BACK_OFFICE, SCHOOL)
@require_http_methods(["GET", "POST"])
def listed(request: Asked, school: School) -> HttpResponseBase:
    """List what was ordered, and order more."""
    known, scopes = shelf(), _scopes(request, school)
    if request.method == "GET":
        wanted = f"{LOAN}{request.GET.get('pret', '')}"
        initial = {"modele": _usual(request, school, known), "prets": ALL}
        if wanted in {value for value, _ in scopes}:
            initial["prets"] = wanted
        return _page(request, school, OrderForm(known, scopes, initial=initial))
    form = OrderForm(known, scopes, request.POST)
    if form.is_valid() and (row := _ordered(request, school, known, form)):
        count = len(row.loans)
        told, them = ("conventions", "les") if count > 1 else ("convention", "la")
        say(request, f"{count} {told} en préparation{NBSP}: suivez-{them} plus bas.")
        return redirect(f"{reverse('conventions', args=[school.pk])}#demandes")
    return _page(request, school, form, status=422)


def _ordered(
    request: Asked, school: School, known: list[Manifest], form: OrderForm
) -> Conversion | None:
    """Order what a form asks for; None when it is refused, the form then says why."""
    asked = form.cleaned_data
    (manifest,) = (each for each in known if each.slug == asked["modele"])
    rows = _chosen(_running(request, school), asked["prets"])
    if not asked["prets"].startswith(LOAN):
        rows = rows.filter(person__audience=manifest.audience)
    loans = list(rows.select_related("person").order_by("person__rank", "pk"))
    if not loans:
        who = "un élève" if manifest.audience == "pupil" else "un personnel"
        form.add_error("prets", f"Aucun de ces prêts n’est à {who}. Changez de convention.")
        return None
    try:
        return conventions.order(
            school,
            manifest.slug,
            request.who.label,
            timezone.localdate(),
            loans=loans,
            kind=asked["format"],
            is_merged=asked["regroupe"] == "oui",
            is_ours=request.POST.get("origine") == "region",
        )
    except InvalidInput as error:
        form.take(error, merged="regroupe", loans="prets")
        return None


def _running(request: Asked, school: School) -> QuerySet[Loan]:
    return seen(Loan, request).filter(school=school, returned_date=None)


def _chosen(rows: QuerySet[Loan], wanted: str) -> QuerySet[Loan]:
    if wanted.startswith(LOAN):
        return rows.filter(pk=int(wanted.removeprefix(LOAN)))
    if wanted.startswith(CLASS):
        return rows.filter(person__division=wanted.removeprefix(CLASS))
    return rows


def _scopes(request: Asked, school: School) -> list[tuple[str, str]]:
    """Give the loans to choose from: all, a class, one."""
    rows = _running(request, school)
    whole = rows.count()
    if not whole:
        return []
    counted = rows.exclude(person__division="").values_list("person__division")
    classes = counted.annotate(count=Count("pk")).order_by("person__division")
    scopes = [(ALL, f"Tous les prêts en cours ({whole})")]
    scopes += [(f"{CLASS}{name}", f"Classe {name} ({count})") for name, count in classes]
    people = rows.order_by("person__family_name", "person__first_name", "pk")
    facts = people.values_list("pk", "person__family_name", "person__first_name", "serial")
    for key, family_name, first_name, serial in facts[: conventions.MOST]:
        scopes.append((f"{LOAN}{key}", f"{family_name} {first_name}, {serial}"))
    return scopes


def _usual(request: Asked, school: School, known: list[Manifest]) -> str:
    """Give the convention of a loan that the address names, or the first."""
    text = request.GET.get("pret", "")
    key = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    loan = _running(request, school).filter(pk=key).select_related("person").first()
    for each in known:
        if loan is None or each.audience == loan.person.audience:
            return each.slug
    return ""


def _page(request: Asked, school: School, form: OrderForm, status: int = 0) -> HttpResponseBase:
    rows = seen(Conversion, request).filter(school=school).select_related("template")
    found = Listing(
        request,
        rows.defer("loans", "letterhead", "template__archive").annotate(
            count=ArrayLength(F("loans"))
        ),
        sorts={"date": ("-created_at",), "nombre": ("count",)},
        filters=(Filter("etat", "État", STATES, "state"),),
        size=SIZE,
    )
    titles = {each.slug: each.title for each in shelf()}
    models = _models(request, school)
    facts = {
        "school": school,
        "form": form,
        "listing": found,
        "orders": [(row, titles.get(row.template.slug, row.template.slug)) for row in found.rows],
        "is_running": any(row.state in WORKING for row in found.rows),
        "models": models,
        "has_own": any(each.own for each in models),
        "is_empty": not form.fields["prets"].choices,  # type: ignore[attr-defined]
        "most": MAX_FILE >> 20,
    }
    return page(request, "web/conventions/list.html", facts, status=status)


def _models(request: Asked, school: School) -> list[Model]:
    """Tell which model of each convention is used."""
    rows = seen(SchoolModel, request).filter(school=school).order_by("pk")
    own = {row.slug: row for row in rows}
    mine = request.who.label
    return [
        Model(each, row := own.get(each.slug), row is not None and row.accepted_by == mine)
        for each in shelf()
    ]


@school_screen(BACK_OFFICE, SCHOOL)
@require_POST
def retry(request: Asked, school: School, convention: str) -> HttpResponseBase:
    """Make an order again."""
    row = one(seen(Conversion, request), school=school, public_id=convention)
    try:
        conventions.retry(row, request.who.label)
    except InvalidInput as error:
        warn(request, french(str(error)))
    else:
        say(request, "La demande est relancée.")
    return redirect(f"{reverse('conventions', args=[school.pk])}#demandes")


@school_screen(BACK_OFFICE, SCHOOL)
@require_POST
def blank(request: Asked, school: School, template: str) -> HttpResponseBase:
    """Prepare the model that a school edits, and the convention with blanks."""
    manifest = _known(template)
    conventions.order(school, manifest.slug, request.who.label, timezone.localdate(), is_ours=True)
    say(request, "Le modèle et la convention vierge se préparent" + NBSP + ": suivez plus bas.")
    return redirect(f"{reverse('conventions', args=[school.pk])}#demandes")


@school_screen(BACK_OFFICE, SCHOOL)
@bounded(lambda: MAX_FILE + SLACK)
@require_http_methods(["GET", "POST"])
def model(request: Asked, school: School, template: str) -> HttpResponseBase:
    """Take back a model that a school edited, or say all that is wrong with it."""
    manifest = _known(template)
    own = seen(SchoolModel, request).filter(school=school, slug=manifest.slug).order_by("-pk")
    told: dict[str, Any] = {"school": school, "manifest": manifest, "own": own.first()}
    told["most"] = MAX_FILE >> 20
    if request.method == "GET":
        return page(request, "web/conventions/model.html", {**told, "form": ModelForm()})
    form = ModelForm(request.POST, request.FILES)
    problems: list[Problem] = []
    if form.is_valid():
        content = form.cleaned_data["fichier"].read()
        try:
            conventions.accept_model(school, manifest.slug, content, request.who.label)
        except InvalidInput as error:
            problems = [_in_french(each) for each in error.problems]
        else:
            say(request, "Votre modèle est accepté. Il servira aux prochaines conventions.")
            return redirect(f"{reverse('conventions', args=[school.pk])}#modeles")
    told["form"] = form
    return page(request, "web/conventions/model.html", told, problems=problems, status=422)


@school_screen(BACK_OFFICE, SCHOOL)
@require_http_methods(["GET", "POST"])
def forget(request: Asked, school: School, template: str) -> HttpResponseBase:
    """Go back to the region's own model, once it is confirmed."""
    manifest, back = _known(template), f"{reverse('conventions', args=[school.pk])}#modeles"
    if request.method == "POST" and request.POST.get("confirmed"):
        if conventions.forget_model(school, manifest.slug, request.who.label):
            say(request, "Le modèle de la Région est de nouveau utilisé.")
        return redirect(back)
    told = {
        "title": french("Revenir au modèle de la Région ?"),
        "consequence": french(
            "Votre modèle ne servira plus, et ne sera plus téléchargeable ici. Téléchargez-le "
            "d’abord si vous voulez le garder. Les conventions déjà préparées ne changent pas."
        ),
        "button": "Revenir au modèle de la Région",
        "back": back,
    }
    return render(request, "web/parts/confirm.html", told)


def _known(slug: str) -> Manifest:
    """Give a convention by its name in an address.

    Raises:
        Http404: when there is none.
    """
    for each in shelf():
        if each.slug == slug:
            return each
    raise Http404


def _in_french(problem: Problem) -> Problem:
    return Problem(french(problem.what), problem.where, french(problem.remedy))


PLACE = "etablissements/<str:uai>/conventions/"
MODEL = f"{PLACE}modeles/<slug:template>/"
urls: list[URLPattern] = [
    path(PLACE, listed, name="conventions"),
    path(f"{PLACE}<uuid:convention>/relancer/", retry, name="convention-retry"),
    path(f"{MODEL}vierge/", blank, name="convention-blank"),
    path(MODEL, model, name="convention-model"),
    path(f"{MODEL}oublier/", forget, name="convention-forget"),
]
