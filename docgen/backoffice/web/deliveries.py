"""What is mailed to the region and to schools: where each is, and the way that mail takes."""

from typing import Any

from django.db.models import Count, Prefetch, QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_safe

from docgen.backoffice import arrivals, deliveries, departures, letters
from docgen.backoffice.mails import AWAITING
from docgen.backoffice.models import Delivery, Mail, Message, Posting
from docgen.backoffice.web.frame import BACK_OFFICE, Asked, page, say, screen, seen, warn
from docgen.backoffice.web.lists import Filter, Listing
from docgen.errors import InvalidInput, Problem

UNSAID = [f"attestation__{name}" for name in arrivals.UNSAID]
PREVIEWS = 3  # mails shown before anything leaves
# In the order in which somebody has to look at them.
LOOKED_AT = (Posting.REFUSED, Posting.UNCERTAIN, Posting.HELD, Posting.NEW, Posting.SENDING)
STAGES = (*LOOKED_AT, Posting.SENT, Posting.REPLACED)


@require_safe
@screen(BACK_OFFICE)
def listed(request: Asked) -> HttpResponseBase:
    """List deliveries, those that changed last first, and count them by where they are."""
    rows = with_mails(request, seen(Delivery, request))
    listing = Listing(
        request,
        rows,
        search=("school__name", "school__uai", "attestation__school_year"),
        sorts={
            "change": ("-changed_at",),
            "etablissement": ("school__name",),
            "etat": ("stage", "-changed_at"),
        },
        filters=(
            Filter("etat", "État", [(each, each.label) for each in STAGES], "stage"),
            Filter("a", "Destinataire", Delivery.Role.choices, "role"),
        ),
        label="Établissement ou UAI",
    )
    way, counts = way_of_mail(), _counts(request)
    may_leave = bool(way["is_approved"])
    facts = {
        "listing": listing,
        "rows": [(row, deliveries.why(row, may_leave=may_leave)) for row in listing.rows],
        "counts": [(stage, *_counted(stage, counts.get(stage, 0))) for stage in STAGES],
        "way": way,
        "mails_to_decide": seen(Mail, request).filter(AWAITING).count(),
    }
    return page(request, "web/deliveries/list.html", facts)


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE)
def approval(request: Asked) -> HttpResponseBase:
    """Show what would leave; let it go when somebody who saw it says so."""
    way = way_of_mail()
    if request.method == "POST":
        return _approved(request, way)
    waiting = seen(Message, request).filter(stage=Posting.NEW, delivery__stage=Posting.NEW)
    waiting = waiting.select_related("delivery__school").order_by("created_at", "part")
    counts = _counts(request)
    facts = {
        "way": way,
        "looks": [(row, looked_at(row)) for row in waiting[:PREVIEWS]],
        "waiting": waiting.count(),
        "planned": counts.get(Posting.NEW, 0),
    }
    return page(request, "web/deliveries/approval.html", facts, problems=way["problems"])


def _approved(request: Asked, way: dict[str, Any]) -> HttpResponseBase:
    """Let mail leave, by the way that was looked at and no other."""
    if not way["way"] or request.POST.get("way") != way["way"]:
        warn(request, "Le courrier prend un autre chemin que celui que vous avez relu : relisez.")
        return redirect("post-approval")
    deliveries.approve(request.who.label)
    say(request, "Le courrier part. Suivez les envois ici.")
    return redirect("deliveries")


def way_of_mail() -> dict[str, Any]:
    """Tell the way that mail takes: to files, to one address instead of all, or to everybody."""
    post = departures.post()
    mailbox, problems = "", list[Problem]()
    try:
        mailbox = departures.mailbox()
    except InvalidInput as error:
        problems += error.problems
    return {
        "post": post,
        "mailbox": mailbox,
        "way": post.way(mailbox) if mailbox else "",
        "is_approved": deliveries.is_approved(),
        "problems": problems,
    }


def with_mails(request: Asked, rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Give deliveries with their mails, but for what no page of theirs tells."""
    mails = seen(Message, request).defer("told")
    return (
        rows.select_related("attestation", "school")
        .defer(*UNSAID)
        .prefetch_related(Prefetch("messages", mails))
    )


def looked_at(row: Message) -> letters.Look | None:
    """Show a mail; None when it is kept no more."""
    try:
        return letters.look(row)
    except FileNotFoundError:
        return None


def _counted(stage: Posting, count: int) -> tuple[str, int]:
    """Name a stage as so many deliveries are in it."""
    is_plural = count > 1 and stage not in (Posting.NEW, Posting.SENDING)
    return f"{stage.label}{'s' if is_plural else ''}", count


def _counts(request: Asked) -> dict[str, int]:
    counts = seen(Delivery, request).values_list("stage").annotate(Count("pk")).order_by()
    return dict(counts)


urls: list[URLPattern] = [
    path("envois/", listed, name="deliveries"),
    path("envois/approbation/", approval, name="post-approval"),
]
