"""Import of a school's files: what is known, a look at what they change, then « Enregistrer »."""

import csv
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.db.models import Count, Max
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST, require_safe

from docgen.backoffice import imports
from docgen.backoffice.imports import MOST_FILES, Look
from docgen.backoffice.models import Cession, Device, Event, Person, School
from docgen.backoffice.registers import LABELS
from docgen.backoffice.web import sentences
from docgen.backoffice.web.frame import (
    BACK_OFFICE,
    SCHOOL,
    Asked,
    page,
    say,
    school_screen,
    seen,
    warn,
)
from docgen.backoffice.web.inputs import Form
from docgen.backoffice.web.uploads import bounded
from docgen.errors import RosterRejected
from docgen.jobfolder import cell
from docgen.records import Audience

SHOWN = 200  # problems, or people, on the page; the report has them all
LINE = re.compile(r", ligne (\d+)")
FIELD = re.compile(r"«\s*([^»]{1,60}?)\s*»")
OTHER = "Autres"
WHOM, COLUMN = "personne ", "La colonne "
KEPT = ("people", "devices", "cessions")
GONE = (
    "Cet envoi n’est plus là\u00a0: les fichiers n’attendent qu’une heure. Envoyez-les de nouveau."
)


class ManyFiles(forms.ClearableFileInput):
    """A field of a page that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> Any:  # noqa: ANN401 - as Django has it
        """Check each file; the first that is wrong is told."""
        given = data if isinstance(data, list | tuple) else [data]
        files = [super(FilesField, self).clean(each, initial) for each in given or [None]]
        if len(files) > MOST_FILES:
            raise forms.ValidationError(f"{len(files)} fichiers à la fois, {MOST_FILES} au plus.")
        return files


class FilesForm(Form):
    """The files of a school."""

    audience = forms.ChoiceField(
        label="De qui sont ces fichiers\u202f?",
        choices=(("pupil", "Des élèves"), ("teacher", "Des professeurs")),
        widget=forms.RadioSelect,
        initial="pupil",
    )
    people = FilesField(
        label="Fichiers des personnes",
        help_text="Élèves\u00a0: les exports SIECLE (ElevesAvecAdresses, Responsables, Structures, "
        "Nomenclature). Professeurs\u00a0: l’export STS-Web. Ou un tableur CSV ou XLSX. Les .zip "
        "se déposent tels quels, plusieurs fichiers à la fois.",
        error_messages={"required": "Choisissez au moins un fichier."},
    )
    stock = forms.FileField(
        label="Stock de tablettes",
        required=False,
        help_text="Un tableur CSV ou XLSX\u00a0: N° de série, Modèle, État.",
    )
    cessions = forms.FileField(
        label="Tablettes déjà remises",
        required=False,
        help_text="Un tableur CSV ou XLSX\u00a0: N° de série, Bénéficiaire (identifiant), Date.",
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem of a file, as the report shows it."""

    file: str
    line: str
    field: str
    what: str
    remedy: str
    person: Person | None = None


@school_screen(BACK_OFFICE, SCHOOL)
@bounded()
def show(request: Asked, school: School) -> HttpResponseBase:
    """Say what is known of a school, and take its files; nothing is kept before it is seen."""
    form = FilesForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        files: list[Any] = form.cleaned_data["people"]
        more = [form.cleaned_data[name] or None for name in ("stock", "cessions")]
        audience: Audience = form.cleaned_data["audience"]
        imports.forget(request.session.get(_key(school), ""))
        request.session[_key(school)] = imports.put_aside(school, audience, files, *more)
        return redirect("import-check", school.pk)
    status = 422 if form.is_bound else 0
    return page(request, "web/imports/files.html", _known(request, school, form), status=status)


@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def check(request: Asked, school: School) -> HttpResponseBase:
    """Show what files would change, or every problem of theirs."""
    token = request.session.get(_key(school), "")
    found = imports.look(token, school)
    if found is None:
        return redirect("imports", school.pk)
    facts = {"school": school, "look": found, "audience": Person.Audience(found.audience).label}
    if found.change is None:
        return page(request, "web/imports/refused.html", facts | _report(request, school, found))
    change = found.change
    gone = seen(Person, request).filter(school=school, audience=found.audience)
    facts |= {
        "token": token,
        "change": change,
        "gone": gone.filter(internal_id__in=change.gone[:SHOWN]).order_by("division", "rank"),
        "gone_more": max(0, len(change.gone) - SHOWN),
        "is_drastic": 2 * len(change.gone) > change.people,
        "fields": [
            (LABELS.get(name, "Date de naissance"), count) for name, count in change.fields.items()
        ],
        "classes": [each for each in change.classes if each[1] != each[2]],
        "notices": found.notices[:SHOWN],
        "notices_more": max(0, len(found.notices) - SHOWN),
    }
    return page(request, "web/imports/check.html", facts)


@require_POST
@school_screen(BACK_OFFICE, SCHOOL)
def keep(request: Asked, school: School) -> HttpResponseBase:
    """Keep the files that were looked at."""
    token = request.session.get(_key(school), "")
    if not token or request.POST.get("envoi") != token:
        warn(request, GONE)
        return redirect("imports", school.pk)
    try:
        counts = imports.keep(token, school, request.who.label)
    except RosterRejected as error:
        facts = _known(request, school, FilesForm())
        return page(request, "web/imports/files.html", facts, problems=error)
    del request.session[_key(school)]
    if counts is None:
        warn(request, GONE)
        return redirect("imports", school.pk)
    told = sentences.counts({name: count for name, count in counts.items() if name in KEPT})
    say(request, f"C’est enregistré\u00a0: {told}.")
    return redirect("school", school.pk)


@require_POST
@school_screen(BACK_OFFICE, SCHOOL)
def drop(request: Asked, school: School) -> HttpResponseBase:
    """Give up files that were looked at."""
    imports.forget(request.session.pop(_key(school), ""))
    say(request, "L’envoi est abandonné\u00a0: rien n’a été enregistré.")
    return redirect("imports", school.pk)


@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def report(request: Asked, school: School) -> HttpResponseBase:
    """Give all the problems of files, for a spreadsheet: nothing in it is taken for a formula."""
    found = imports.look(request.session.get(_key(school), ""), school)
    if found is None:
        return redirect("imports", school.pk)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="rapport-import-{school.pk}.csv"'
    answer.write("\ufeff")  # else Excel takes it for windows-1252
    rows = csv.writer(answer, delimiter=";", lineterminator="\r\n")
    rows.writerow(["Fichier", "Ligne", "Champ", "Problème", "Que faire"])
    for each in _faults(found):
        told = (each.file, each.line, each.field, each.what, each.remedy)
        rows.writerow([cell(text) for text in told])
    return answer


def _key(school: School) -> str:
    return f"import:{school.pk}"


def _known(request: Asked, school: School, form: FilesForm) -> dict[str, Any]:
    """Give what the last files of a school said."""
    present = seen(Person, request).filter(school=school, is_present=True)
    told = (
        present.order_by()
        .values("audience")
        .annotate(
            people=Count("pk"), classes=Count("division", distinct=True), year=Max("school_year")
        )
    )
    events = seen(Event, request).filter(subject=school.pk, kind="roster-imported")
    return {
        "school": school,
        "form": form,
        "known": {row["audience"]: row for row in told},
        "devices": seen(Device, request).filter(school=school).count(),
        "ceded": seen(Cession, request).filter(school=school, cancelled_at=None).count(),
        "last": events.order_by("-pk").first(),
    }


def _report(request: Asked, school: School, found: Look) -> dict[str, Any]:
    """Give the problems that a page shows: those of a field, or those that hold some words."""
    every = _faults(found)
    fields = Counter(each.field or OTHER for each in every)
    field, text = request.GET.get("champ", ""), request.GET.get("q", "").strip()[:100]
    words = text.casefold().split()
    wanted = [
        each
        for each in every
        if (field not in fields or (each.field or OTHER) == field)
        and all(word in _said(each) for word in words)
    ]
    return {
        "total": len(every),
        "wanted": len(wanted),
        "faults": _named(request, school, wanted[:SHOWN]),
        "is_elsewhere": any(each.what.startswith(COLUMN) for each in every),
        "most": SHOWN,
        "fields": fields.most_common(),
        "field": field,
        "text": text,
    }


def _named(request: Asked, school: School, faults: list[Fault]) -> list[Fault]:
    """Lead from a problem to whom it is about: a report names nobody, a page of the school may."""
    numbers = {each.file: each.file.removeprefix(WHOM) for each in faults if WHOM in each.file}
    rows = seen(Person, request).filter(school=school, internal_id__in=numbers.values())
    known = {row.internal_id: row for row in rows}
    return [replace(each, person=known.get(numbers.get(each.file, ""))) for each in faults]


def _said(each: Fault) -> str:
    return f"{each.file} {each.line} {each.what} {each.remedy}".casefold()


def _faults(found: Look) -> list[Fault]:
    made = []
    for what, where, remedy in found.problems:
        line, field = LINE.search(where), FIELD.match(what)
        file = where[: line.start()] if line else where
        name = field[1] if field else ""
        made.append(Fault(file, line[1] if line else "", name, what[:1].upper() + what[1:], remedy))
    return made


urls: list[URLPattern] = [
    path("etablissements/<str:uai>/donnees/", show, name="imports"),
    path("etablissements/<str:uai>/donnees/controle/", check, name="import-check"),
    path("etablissements/<str:uai>/donnees/controle/rapport.csv", report, name="import-report"),
    path("etablissements/<str:uai>/donnees/enregistrer/", keep, name="import-keep"),
    path("etablissements/<str:uai>/donnees/abandonner/", drop, name="import-drop"),
]
