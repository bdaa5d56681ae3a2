"""What is decided about a side from its page: done at once, told, and undone as quickly.

What is refused, or was decided by somebody else meanwhile, is told on the page as it is now.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from docgen.backoffice import reviews
from docgen.backoffice.models import ScannedPage
from docgen.backoffice.reviews import Conflict
from docgen.backoffice.web.frame import BACK_OFFICE, SCHOOL, Asked, say, screen
from docgen.backoffice.web.reviews import asked, found, shown, suffix, waiting
from docgen.errors import DocgenError, InvalidInput, Problem
from docgen.typography import NBSP

OTHER = "autre"  # the place that is typed, not proposed
Act = Callable[[Asked, ScannedPage], str]


def decision(act: Act, *, stays: bool = False) -> Callable[..., HttpResponseBase]:
    """Make a view of something that is decided: it says what was done, then comes the next side."""

    @require_POST
    @screen(BACK_OFFICE, SCHOOL)
    @wraps(act)
    def view(request: Asked, side: UUID) -> HttpResponseBase:
        row = found(request, side)
        try:
            text = act(request, row)
        except DocgenError as error:
            return _refused(request, side, error)
        say(request, text, undo=_way_back(request, row))
        return HttpResponseRedirect(_place(row if stays else _next(request, row), request))

    return view


def _refused(request: Asked, side: UUID, error: DocgenError) -> HttpResponseBase:
    status = HTTPStatus.CONFLICT if isinstance(error, Conflict) else 0
    answer = shown(request, found(request, side), error, status)
    answer.headers["HX-Push-Url"] = "false"  # where a form is sent to is no page to come back to
    return answer


def _assign(request: Asked, row: ScannedPage) -> str:
    reference, side, is_replacing = _chosen(request)
    after = _after(request.POST.get("after", ""))
    facts = (row, reference, side, request.who)
    displaced = reviews.assign(*facts, replace=is_replacing, after=after)
    text = f"Face rangée\u00a0: document {reference.upper()}, face{NBSP}{side}."
    return f"{text} L’ancien scan de cette face est gardé." if displaced else text


def _chosen(request: Asked) -> tuple[str, int, bool]:
    """Give the reference, the side, and whether another scan gives its place up.

    Raises:
        InvalidInput: when nothing is chosen, or no number is typed.
    """
    place = request.POST.get("place", "")
    if not place:
        remedy = "Choisissez-en une, tapez une référence, ou passez à la suivante."
        raise InvalidInput(Problem("aucune place n’est choisie.", "", remedy))
    reference, _, rest = place.partition("/")
    side, _, more = rest.partition("/")
    is_replacing = bool(more)
    if place == OTHER:
        reference, side = request.POST.get("reference", ""), request.POST.get("face", "")
        is_replacing = "replace" in request.POST
    if not (side.isascii() and side.isdigit() and len(side) < 4):
        what = "le numéro de la face n’est pas un nombre."
        raise InvalidInput(Problem(what, "face", "Il est écrit près du code\u00a0: 2/5."))
    return reference[:30], int(side), is_replacing


def _turn(request: Asked, row: ScannedPage) -> str:
    degrees = _after(request.POST.get("degrees", "")) or 0
    reviews.turn(row, degrees, request.who, after=_after(request.POST.get("after", "")))
    return "Face tournée."


def _discard(request: Asked, row: ScannedPage) -> str:
    note = request.POST.get("note", "")
    reviews.discard(row, note, request.who, after=_after(request.POST.get("after", "")))
    return "Face écartée. Elle est gardée, et peut revenir."


@require_POST
@screen(BACK_OFFICE, SCHOOL)
def undo(request: Asked, side: UUID) -> HttpResponseBase:
    """Take back the last thing that was decided about a side, and show it again."""
    row = found(request, side)
    try:
        reviews.undo(row, request.who, after=_after(request.GET.get("pas", "")))
    except DocgenError as error:
        return _refused(request, side, error)
    say(request, "Décision annulée\u00a0: la face est comme avant.")
    return HttpResponseRedirect(_place(row, request))


def _after(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _way_back(request: Asked, row: ScannedPage) -> str:
    step = reviews.last_step(row)
    facts = {**asked(request), "pas": str(step.pk if step else 0)}
    return f"{reverse('review-undo', args=(row.public_id,))}?{urlencode(facts)}"


def _next(request: Asked, row: ScannedPage) -> ScannedPage | None:
    rows = waiting(request).exclude(pk=row.pk)
    return rows.filter(pk__gt=row.pk).first() or rows.first()


def _place(row: ScannedPage | None, request: Asked) -> str:
    place = reverse("review", args=(row.public_id,)) if row else reverse("reviews")
    return place + suffix(request)


urls: list[URLPattern] = [
    path("relecture/<uuid:side>/ranger/", decision(_assign), name="review-assign"),
    path("relecture/<uuid:side>/tourner/", decision(_turn, stays=True), name="review-turn"),
    path("relecture/<uuid:side>/ecarter/", decision(_discard), name="review-discard"),
    path("relecture/<uuid:side>/annuler/", undo, name="review-undo"),
]
