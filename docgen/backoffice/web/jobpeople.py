"""Second step of a print job: for whom. Names are searched by POST: none is in an address."""

import re
from collections.abc import Sequence

from django.db.models import Count, Q, QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from docgen import library, press
from docgen.backoffice.models import Person, School
from docgen.backoffice.web import drafts
from docgen.backoffice.web.drafts import Draft
from docgen.backoffice.web.frame import Asked, page, seen
from docgen.errors import Problem

MOST_FOUND, MOST_CHOSEN = 50, 5000
LONGEST = 100  # characters of a search
NAMES = ("family_name", "usage_name", "first_name", "division", "internal_id")


def people(request: Asked, school: School, draft: Draft) -> HttpResponseBase:
    """Choose everybody, classes, or people one by one."""
    manifest = library.load(draft.slug).manifest
    rows = seen(Person, request).filter(school=school, audience=manifest.audience, is_present=True)
    problems: list[Problem] = []
    text, unknown = "", ""
    if request.method == "POST":
        problems, unknown = _taken(request, draft, rows)
        text = request.POST.get("q", "").replace("\0", "").strip()[:LONGEST]
        act = request.POST.get("agir", "")
        if not problems and act not in ("chercher", "ajouter"):
            problems = _nobody(draft, rows)
        if not problems and act != "chercher":
            return redirect(draft.address("personnes" if act == "ajouter" else "options"))
    facts = {
        "school": school,
        "draft": draft,
        "manifest": manifest,
        "step": 2,
        "total": rows.count(),
        "classes": _classes(rows, draft.classes),
        "chosen": rows.filter(pk__in=draft.people).order_by("rank"),
        "text": text,
        "found": _found(rows, text, draft.people),
        "unknown": unknown,
        "most": MOST_FOUND,
    }
    return page(request, "web/newjob/people.html", facts, problems=problems)


def _taken(request: Asked, draft: Draft, rows: QuerySet[Person]) -> tuple[list[Problem], str]:
    """Keep what was ticked and pasted; give the problems, and the identifiers nobody has."""
    sent = request.POST
    act = sent.get("agir", "")
    whom = sent.get("qui", "")
    if act in ("chercher", "ajouter"):
        draft.whom = "people"
    elif whom in ("all", "classes", "people"):
        draft.whom = whom  # type: ignore[assignment]
    known = set(rows.values_list("division", flat=True))
    draft.classes = [name for name in sent.getlist("classe") if name in known]
    ticked = [int(each) for each in sent.getlist("personne") if each.isdecimal() and len(each) < 19]
    pasted = list(dict.fromkeys(re.split(r"[\s,;]+", sent.get("identifiants", "").strip())))
    wanted = [each.replace("\0", "")[:32] for each in pasted if each][:MOST_CHOSEN]
    listed = rows.filter(Q(internal_id__in=wanted) | Q(ine__in=[each.upper() for each in wanted]))
    matches = {
        name: pk
        for pk, *names in (listed if wanted else rows.none()).values_list(
            "pk", "internal_id", "ine"
        )
        for name in names
        if name
    }
    unknown = [each for each in wanted if each not in matches and each.upper() not in matches]
    added = [pk for each in wanted if (pk := matches.get(each) or matches.get(each.upper()))]
    own = {*rows.filter(pk__in=ticked).values_list("pk", flat=True), *added}
    draft.people = list(dict.fromkeys(each for each in (*ticked, *added) if each in own))
    drafts.keep(request, draft)
    if not unknown:
        return [], ""
    count = len(unknown)
    what = (
        "un identifiant ne correspond à personne."
        if count == 1
        else f"{count} identifiants ne correspondent à personne."
    )
    remedy = "Il est resté dans la zone" if count == 1 else "Ils sont restés dans la zone"
    problem = Problem(what, "Identifiants", f"{remedy}\u00a0: corrigez, ou effacez.")
    return [problem], "\n".join(unknown)


def _nobody(draft: Draft, rows: QuerySet[Person]) -> list[Problem]:
    if draft.whom == "classes" and not draft.classes:
        return [Problem("aucune classe n’est cochée.", "Classes", "Cochez-en une au moins.")]
    if draft.whom == "people" and not draft.people:
        remedy = "Cherchez un nom, cochez, puis ajoutez."
        return [Problem("personne n’est choisi.", "Personnes", remedy)]
    if not rows.exists():
        remedy = "Importez d’abord les fichiers de l’établissement."
        return [Problem("il n’y a encore personne à imprimer.", "Personnes", remedy)]
    return []


def _classes(rows: QuerySet[Person], chosen: Sequence[str]) -> list[dict[str, object]]:
    counts = rows.exclude(division="").values("division").annotate(count=Count("pk")).order_by()
    found = sorted(counts, key=lambda each: press.natural(each["division"]))
    return [{**each, "is_chosen": each["division"] in chosen} for each in found]


def _found(rows: QuerySet[Person], text: str, chosen: Sequence[int]) -> list[Person]:
    if not text:
        return []
    for word in text.split():
        match = Q()
        for name in NAMES:
            match |= Q(**{f"{name}__icontains": word})
        rows = rows.filter(match)
    return list(rows.exclude(pk__in=chosen).order_by("rank")[:MOST_FOUND])
