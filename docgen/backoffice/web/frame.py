"""What every screen stands on: who asks, whether the role may, and the headers of a page.

A screen names the roles that may open it, and starts every query with `seen`. What somebody does
not see does not exist for them: 404. What their role may not do is refused: 403.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from docgen.backoffice import accounts, gate
from docgen.backoffice.gate import Actor
from docgen.backoffice.models import Role, School, User
from docgen.errors import DocgenError, Problem

BACK_OFFICE, SCHOOL, REGION, PRINT_SHOP = (
    Role.BACK_OFFICE,
    Role.SCHOOL,
    Role.REGION,
    Role.PRINT_SHOP,
)
EVERYBODY = (BACK_OFFICE, SCHOOL, REGION, PRINT_SHOP)
UNDO = "undo:"
View = Callable[..., HttpResponseBase]
M = TypeVar("M", bound=Model)


class Asked(HttpRequest):
    """A request of somebody known: `who` is the gate's actor, `htmx` is true when htmx sent it."""

    who: Actor
    user: User
    htmx: HtmxDetails


def screen(*roles: Role) -> Callable[[View], View]:
    """Make a view of what these roles may open; anybody else is sent to the door, or refused."""

    def made(view: View) -> View:
        @wraps(view)
        def shown(request: HttpRequest, *args: object, **values: object) -> HttpResponseBase:
            asked = cast(Asked, request)
            user: object = request.user
            if not isinstance(user, User):
                return dressed(_door(asked))
            asked.who = gate.actor(user)
            if user.role not in roles:
                raise PermissionDenied
            return dressed(view(asked, *args, **values))

        return shown

    return made


def school_screen(*roles: Role) -> Callable[[View], View]:
    """Make a view about one school, `uai` in its address: the view is given the school itself."""

    def made(view: View) -> View:
        @wraps(view)
        def shown(request: Asked, uai: str, *args: object, **values: object) -> HttpResponseBase:
            school = one(seen(School, request), pk=uai)
            return view(request, school, *args, **values)

        return screen(*roles)(shown)

    return made


def dressed(response: HttpResponseBase) -> HttpResponseBase:
    """Give a page its headers: it loads nothing that is not ours, and no browser keeps it."""
    response.headers.setdefault("Content-Security-Policy", accounts.POLICY)
    add_never_cache_headers(response)
    return response


def _door(request: Asked) -> HttpResponseBase:
    """Lead to the sign-in, and back to the page: what was sent from it is not sent again."""
    if request.htmx:
        here = request.htmx.current_url_abs_path or "/"
        return HttpResponseClientRedirect(redirect_to_login(here)["Location"])
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path())
    before = request.headers.get("Referer", "")
    page = urlsplit(before)._replace(scheme="", netloc="", fragment="").geturl()
    is_ours = url_has_allowed_host_and_scheme(before, {request.get_host()})
    is_path = url_has_allowed_host_and_scheme(page, None)
    return redirect_to_login(page if is_ours and is_path else "/")


def seen(model: type[M], request: Asked) -> QuerySet[M]:
    """Give the rows of a table that the sender sees: the start of every query of a request."""
    return gate.visible(model, request.who)


def one(rows: QuerySet[M], **facts: object) -> M:
    """Give the one row that has these facts, among those that are seen.

    Raises:
        Http404: when there is none; whether it exists for somebody else is not told.
    """
    row = rows.filter(**facts).first()
    if row is None:
        raise Http404
    return row


def page(
    request: HttpRequest,
    template: str,
    facts: dict[str, Any] | None = None,
    *,
    problems: DocgenError | list[Problem] | None = None,
    status: int = 0,
) -> HttpResponse:
    """Draw a page. `problems` are shown above it, and make it a 422."""
    told = problems.problems if isinstance(problems, DocgenError) else problems
    usual = HTTPStatus.UNPROCESSABLE_ENTITY if told else HTTPStatus.OK
    return render(
        request, template, {"problems": told or [], **(facts or {})}, status=status or usual
    )


def say(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """Say at the top of the next page what was done; `undo` is where a POST takes it back.

    No name of a person: it waits in the session.
    """
    messages.success(request, text, extra_tags=f"{UNDO}{undo}" if undo else "")


def warn(request: HttpRequest, text: str) -> None:
    """Say at the top of the next page that something needs care."""
    messages.warning(request, text)
