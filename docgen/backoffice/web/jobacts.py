"""What is done with a print job: cancelled, retried, printed again, handed to a shop, taken back.

A button of a page that is no longer true does nothing: the job's page says why.
"""

import hashlib
import json
from collections.abc import Callable
from uuid import UUID

from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from docgen.backoffice import idempotency, print_jobs, releases
from docgen.backoffice.models import PrintJob, PrintShop
from docgen.backoffice.web.frame import (
    BACK_OFFICE,
    SCHOOL,
    Asked,
    one,
    page,
    say,
    screen,
    seen,
    warn,
)
from docgen.errors import InvalidInput

LONGEST = 100  # characters of a shop's name


def _job(request: Asked, job: UUID) -> PrintJob:
    return one(seen(PrintJob, request).select_related("template"), pk=job)


def _done(request: Asked, act: Callable[[], object]) -> bool:
    """Act; when the job is no longer where the page had it, say so."""
    try:
        act()
    except InvalidInput as error:
        for each in error.problems:
            warn(request, f"{each.what[:1].upper()}{each.what[1:]} {each.remedy}".strip())
        return False
    return True


@screen(BACK_OFFICE, SCHOOL)
def cancel(request: Asked, job: UUID) -> HttpResponseBase:
    """Cancel a job, once its consequence is read."""
    row = _job(request, job)
    if request.method != "POST":
        ending = "s" if row.documents > 1 else ""
        consequence = (
            f"Les fichiers et les {row.documents}\u00a0document{ending} de ce lot seront effacés. "
            "On ne peut pas revenir en arrière\u00a0: il faudra refaire un lot."
        )
        facts = {
            "title": "Annuler ce lot\u00a0?",
            "consequence": consequence,
            "button": "Annuler le lot",
            "back": reverse("job", args=(row.pk,)),
        }
        return page(request, "web/parts/confirm.html", facts)
    if _done(request, lambda: print_jobs.cancel(row, request.who.label)):
        say(request, "Le lot est annulé.")
    return redirect("job", row.pk)


@screen(BACK_OFFICE, SCHOOL)
@require_POST
def retry(request: Asked, job: UUID) -> HttpResponseBase:
    """Put back in the line what was refused or set aside."""
    row = _job(request, job)
    if _done(request, lambda: print_jobs.retry(row, request.who.label)):
        say(request, "Le lot est relancé.")
    return redirect("job", row.pk)


@screen(BACK_OFFICE, SCHOOL)
@require_POST
def reprint(request: Asked, job: UUID) -> HttpResponseBase:
    """Print a job again, or the documents that are ticked; sent twice, once."""
    row = _job(request, job)
    ticked = request.POST.getlist("document")
    is_duplicata = request.POST.get("duplicata") == "oui"
    if request.POST.get("quoi") == "choix" and not ticked:
        warn(request, "Aucun document n’était coché\u00a0: rien n’est réimprimé.")
        return redirect("job", row.pk)
    chosen = ticked if request.POST.get("quoi") == "choix" else []
    ids = [int(each) for each in chosen if each.isdecimal() and len(each) < 19]
    token = request.POST.get("jeton", "")[:64]
    said = hashlib.sha256(f"{row.pk}\0{ids}\0{is_duplicata}".encode()).hexdigest()

    def act() -> idempotency.Answer:
        again = print_jobs.reprint(row, request.who.label, documents=ids, is_duplicata=is_duplicata)
        return 201, json.dumps(str(again.pk))

    made: list[str] = []

    def once() -> None:
        key = f"screen:{token}:{said[:32]}"
        made.append(json.loads(idempotency.once(request.who.label, key, said, act)[1]))

    if len(ids) != len(chosen) or not token or not _done(request, once):
        return redirect("job", row.pk)
    say(request, "La réimpression est lancée.", undo=reverse("job-cancel", args=(made[0],)))
    return redirect("job", made[0])


@screen(BACK_OFFICE)
@require_POST
def release(request: Asked, job: UUID) -> HttpResponseBase:
    """Hand a job to a print shop."""
    row = _job(request, job)
    shop = _shop(request)
    if shop is None:
        return redirect("job", row.pk)
    if _done(request, lambda: releases.release(row, shop, request.who.label)):
        undo = reverse("job-withdraw", args=(row.pk,))
        say(request, f"Le lot est remis à «\u00a0{shop.name}\u00a0».", undo=undo)
    return redirect("job", row.pk)


def _shop(request: Asked) -> PrintShop | None:
    """Give the shop that was chosen, or the new one that was named; None when it was neither."""
    name = " ".join(request.POST.get("nouveau", "").replace("\0", "").split())[:LONGEST]
    made: list[PrintShop] = []
    if name:
        _done(request, lambda: made.append(releases.add_shop(name, request.who.label)))
        return made[0] if made else None
    given = request.POST.get("imprimeur") or request.GET.get("imprimeur", "")
    if not (given.isdecimal() and len(given) < 19):
        warn(request, "Choisissez d’abord un imprimeur.")
        return None
    return one(seen(PrintShop, request), pk=int(given))


@screen(BACK_OFFICE)
@require_POST
def withdraw(request: Asked, job: UUID) -> HttpResponseBase:
    """Take a job back from its shop."""
    row = _job(request, job)
    shop = row.shop_id
    if _done(request, lambda: releases.withdraw(row, request.who.label)):
        undo = f"{reverse('job-release', args=(row.pk,))}?imprimeur={shop}"
        say(request, "Le lot est repris\u00a0: l’imprimeur ne le voit plus.", undo=undo)
    return redirect("job", row.pk)


urls: list[URLPattern] = [
    path("impressions/<uuid:job>/annuler/", cancel, name="job-cancel"),
    path("impressions/<uuid:job>/relancer/", retry, name="job-retry"),
    path("impressions/<uuid:job>/reimprimer/", reprint, name="job-reprint"),
    path("impressions/<uuid:job>/remettre/", release, name="job-release"),
    path("impressions/<uuid:job>/reprendre/", withdraw, name="job-withdraw"),
]
