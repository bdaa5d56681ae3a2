"""At the counter: the document of one person, now, before all that waits."""

import hashlib
import secrets

from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from docgen import library
from docgen.backoffice import ordering, print_jobs
from docgen.backoffice.models import Person, PrintJob, School
from docgen.backoffice.web import drafts
from docgen.backoffice.web.frame import Asked, one, page, say, seen
from docgen.backoffice.web.jobpreview import addresses, ordered_once
from docgen.errors import DocgenError, Problem


def one_now(request: Asked, school: School) -> HttpResponseBase:
    """Print for one person who waits."""
    given = request.GET.get("personne", "")
    pk = int(given) if given.isdecimal() and len(given) < 19 else 0
    person = one(seen(Person, request), school=school, pk=pk)
    offers = [
        (each.manifest, layout, f"{each.manifest.slug}/{layout.name}")
        for each in drafts.offered(person.audience)
        for layout in each.manifest.layouts
    ]
    values = [value for *_, value in offers]
    asked = request.POST.get("choix") or request.GET.get("choix") or _usual(request, school, values)
    chosen = asked if asked in values else next(iter(values), "")
    token = request.POST.get("jeton", "")[:64] or secrets.token_urlsafe(12)
    facts = {"school": school, "person": person, "offers": offers, "chosen": chosen, "token": token}
    if not chosen:
        return page(request, "web/newjob/one.html", facts)
    slug, _, layout = chosen.partition("/")
    draft = drafts.fresh(school, slug, layout)
    wanted = ordering.Wanted(
        *(library.load(slug), layout, draft.day), people=frozenset({person.internal_id})
    )
    problems: list[Problem] = []
    try:
        job = ordering.prepared(school, wanted)
        if request.method == "POST":
            digest = hashlib.sha256(f"{person.pk}\0{chosen}\0{draft.day}".encode()).hexdigest()
            made = ordered_once(request, token, digest, job, print_jobs.COUNTER)
            say(request, "C’est parti.", undo=reverse("job-cancel", args=(made,)))
            return redirect("job", made)
        problems = [each for told in ordering.refused(job).values() for each in told]
    except DocgenError as error:
        problems = list(error.problems)
    facts |= {"pages": [] if problems else addresses(school, draft, person.pk)[:1]}
    return page(
        request, "web/newjob/one.html", facts, problems=problems, status=422 if problems else 0
    )


def _usual(request: Asked, school: School, values: list[str]) -> str:
    """Give what the school printed last of these."""
    rows = seen(PrintJob, request).filter(school=school).order_by("-created_at", "-id")
    pairs = rows.values_list("template__slug", "layout")[:20]
    lately = (f"{slug}/{layout}" for slug, layout in pairs)
    return next((each for each in lately if each in values), "")
