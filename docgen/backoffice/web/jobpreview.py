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
from docgen.records import Person as Recipient

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
    order = estimate.job.order
    facts = {
        "school": school,
        "draft": draft,
        "manifest": order.template.manifest,
        "layout": order.layout,
        "step": 4,
        "estimate": estimate,
        "address": draft.address("apercu"),
        **_chosen(request, school, draft, printed, _rows(request, school, order)),
    }
    return page(request, "web/newjob/preview.html", facts)


def _rows(request: Asked, school: School, order: press.Order) -> dict[str, int]:
    """Give the row of each person of an order, by internal identifier."""
    audience = order.template.manifest.audience
    found = seen(Person, request).filter(school=school, audience=audience, is_present=True)
    return dict(found.values_list("internal_id", "pk"))


def _chosen(
    request: Asked, school: School, draft: Draft, printed: list[Recipient], rows: dict[str, int]
) -> dict[str, object]:
    """Give whose document is shown, and the others to choose from, in the order of printing."""
    wanted = request.GET.get("qui", "")
    people = [(rows[each.id], each) for each in printed if each.id in rows]
    chosen = next((each for pk, each in people if str(pk) == wanted), None)
    classes = list(dict.fromkeys(each.division for _, each in people))
    is_long = len(people) > MOST_LISTED
    division = chosen.division if chosen else request.GET.get("classe", "")
    if is_long:
        division = division if division in classes else classes[0]
        people = [(pk, each) for pk, each in people if each.division == division]
    place = next((n for n, (_, each) in enumerate(people) if each is chosen), 0)
    pk, shown = people[place]
    return {
        "people": people,
        "classes": classes if is_long else [],
        "division": division,
        "shown": shown,
        "shown_row": pk,
        "before": people[place - 1][0] if place else 0,
        "after": people[place + 1][0] if place + 1 < len(people) else 0,
        "pages": addresses(school, draft, pk),
        "numbers": {"place": place + 1, "count": len(people)},
    }


def addresses(school: School, draft: Draft, person: int) -> list[str]:
    """Give where the pictures of somebody's document are, side after side."""
    layout = library.load(draft.slug).manifest.layout(draft.layout)
    base = reverse("document-picture", args=(school.pk,))
    asked = {"modele": draft.slug, "mise": draft.layout, "personne": person, "jour": draft.day}
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
