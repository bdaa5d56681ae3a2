"""Last step of a print job: see anybody's real document, then launch. Sent twice, it is one job."""

import json
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from docgen import library, press
from docgen.backoffice import idempotency, ordering, print_jobs
from docgen.backoffice.models import Person, School
from docgen.backoffice.web import drafts, pictures
from docgen.backoffice.web.drafts import Draft
from docgen.backoffice.web.frame import (
    BACK_OFFICE,
    SCHOOL,
    Asked,
    one,
    page,
    say,
    school_screen,
    seen,
)
from docgen.backoffice.web.joboptions import Estimate, kept_people, measured
from docgen.errors import DocgenError
from docgen.fields import parse_date

MOST_LISTED = 300  # people in one list to choose from; more are chosen class by class
DPI = 96


def preview(request: Asked, school: School, draft: Draft) -> HttpResponseBase:
    """Show what will be printed, then print it."""
    try:
        estimate, _ = measured(request, school, draft)
        if request.method == "POST":
            return _launched(request, school, draft, estimate)
    except DocgenError as error:
        facts = {"school": school, "draft": draft, "step": 4}
        return page(request, "web/newjob/preview.html", facts, problems=error)
    printed = [each for each in estimate.job.people if each.id not in estimate.left_out]
    if not printed:
        return redirect(draft.address("options"))
    people = _people(request, school, draft, {each.id for each in printed})
    order = {each.id: place for place, each in enumerate(printed)}
    people.sort(key=lambda row: order[row.internal_id])
    chosen = next((row for row in people if str(row.pk) == request.GET.get("qui")), None)
    classes = list(dict.fromkeys(row.division for row in people))
    division = chosen.division if chosen else request.GET.get("classe", "")
    is_long = len(people) > MOST_LISTED
    if is_long:
        division = division if division in classes else classes[0]
        listed = [row for row in people if row.division == division]
    else:
        listed = people
    shown = chosen or listed[0]
    place = listed.index(shown)
    manifest = estimate.job.order.template.manifest
    facts = {
        "school": school,
        "draft": draft,
        "manifest": manifest,
        "layout": estimate.job.order.layout,
        "step": 4,
        "estimate": estimate,
        "people": listed,
        "classes": classes if is_long else [],
        "division": division,
        "shown": shown,
        "before": listed[place - 1] if place else None,
        "after": listed[place + 1] if place + 1 < len(listed) else None,
        "address": draft.address("apercu"),
        "pages": addresses(school, draft, shown),
        "numbers": {"place": place + 1, "count": len(listed)},
    }
    return page(request, "web/newjob/preview.html", facts)


def addresses(school: School, draft: Draft, person: Person) -> list[str]:
    """Give where the pictures of somebody's document are, side after side."""
    layout = library.load(draft.slug).manifest.layout(draft.layout)
    base = reverse("document-picture", args=(school.pk,))
    asked = {"modele": draft.slug, "mise": draft.layout, "personne": person.pk, "jour": draft.day}
    asked["exemplaires"] = draft.copies
    return [f"{base}?{urlencode(asked | {'face': side})}" for side in range(1, layout.sides + 1)]


@require_safe
@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def picture(request: Asked, school: School) -> HttpResponse:
    """Draw a side of somebody's document as it will be printed."""
    asked = request.GET
    template = drafts.template(asked.get("modele", ""))
    layouts = {each.name for each in template.manifest.layouts} if template else set()
    day, pk, side = (
        parse_date(asked.get("jour", "")),
        asked.get("personne", ""),
        asked.get("face", "1"),
    )
    copies = asked.get("exemplaires", "0")
    if not (template and day and asked.get("mise", "") in layouts):
        raise Http404
    if not all(each.isdecimal() and len(each) < 10 for each in (pk, side, copies)):
        raise Http404
    row = one(seen(Person, request), school=school, pk=int(pk))
    wanted = ordering.Wanted(
        *(template, asked["mise"], day),
        people=frozenset({row.internal_id}),
        copies=min(int(copies), 9),
    )
    try:
        content = ordering.preview(ordering.prepared(school, wanted))
        drawn = pictures.png(content, int(side) - 1, DPI)
    except (DocgenError, IndexError) as error:
        raise Http404 from error
    return HttpResponse(drawn, content_type="image/png")


def _people(request: Asked, school: School, draft: Draft, printed: set[str]) -> list[Person]:
    rows = drafts.people(request, school, draft.slug)
    return [row for row in rows if row.internal_id in printed]


def _launched(request: Asked, school: School, draft: Draft, estimate: Estimate) -> HttpResponseBase:
    job = estimate.job
    if estimate.left_out:
        if not draft.without:
            return redirect(draft.address("options"))
        roster = kept_people(job.order.roster, estimate.left_out)
        chosen = drafts.wanted(job.order.template, draft)
        job = ordering.of_roster(school, chosen, roster)
    made = ordered_once(request, draft.token, draft.digest, job, print_jobs.BATCH)
    say(request, "Le lot est lancé.", undo=reverse("job-cancel", args=(made,)))
    return redirect("job", made)


def ordered_once(request: Asked, token: str, digest: str, job: press.Job, priority: int) -> str:
    """Order a job, and give its id; the same order sent twice is one job.

    Raises:
        InvalidInput: with every problem of every person.
    """

    def act() -> idempotency.Answer:
        made = print_jobs.create(job, request.who.label, priority)
        return 201, json.dumps(str(made.pk))

    key = f"screen:{token}:{digest[:32]}"
    _, answer = idempotency.once(request.who.label, key, digest, act)
    return str(json.loads(answer))
