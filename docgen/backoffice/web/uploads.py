"""Files sent by a form: their size is looked at before any of it is read, and they go to disk."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, UnreadablePostError
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from docgen.backoffice.api import guard
from docgen.backoffice.web.frame import View, dressed
from docgen.errors import Problem

TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Bounds:
    """The middleware that holds what a page is sent to what a form can hold.

    Whoever sends files to a page that takes none would have them written to disk, however large and
    whoever it is: their token is looked for in all of it. Views under `bounded` have bounds of
    their own, and the API has its guard.
    """

    def __init__(self, answer: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer; what is refused is refused by `process_view`."""
        return self.answer(request)

    def process_view(
        self, request: HttpRequest, view: View, args: object, named: dict[str, object]
    ) -> HttpResponseBase | None:
        """Refuse a form by its size, before any of it is read.

        Raises:
            BadRequest: for a null character, which nobody types and PostgreSQL takes nowhere.
        """
        if request.path_info.startswith(guard.PLACE):
            return None
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest
        if request.method != "POST" or getattr(view, "csrf_exempt", False):
            return None
        length = request.META.get("CONTENT_LENGTH") or "0"
        most = int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        if not (length.isascii() and length.isdigit() and int(length) <= most):
            return dressed(_too_large(request, _refusal(request, most)))
        try:
            sent = request.POST.lists()
        except UnreadablePostError as error:  # who was sending it has left
            raise BadRequest from error
        if any("\0" in value for _, values in sent for value in values):
            raise BadRequest
        return None


def bounded(most: Callable[[], int] = lambda: guard.MOST_FILES) -> Callable[[View], View]:
    """Make a view, below `@screen`, that takes at most so many bytes of files.

    The middleware against forged requests reads the form to find its token: it is kept off until
    the size was looked at, and then does its work.
    """

    def made(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def taken(request: HttpRequest, *args: object, **values: object) -> HttpResponseBase:
            if request.method == "POST":
                if problem := _refusal(request, most()):
                    return _too_large(request, problem)
                request.upload_handlers = [TemporaryFileUploadHandler(request)]
            return csrf_protect(view)(request, *args, **values)

        return taken

    return made


def _too_large(request: HttpRequest, problem: Problem | None) -> HttpResponse:
    facts = {"problems": [problem] if problem else [], "back": request.path}
    return render(request, "web/toolarge.html", facts, status=TOO_LARGE)


def _refusal(request: HttpRequest, most: int) -> Problem | None:
    """Say why a form is refused before its body is read, if it is."""
    length = request.META.get("CONTENT_LENGTH") or ""
    is_bounded = length.isascii() and length.isdigit()
    if request.headers.get("Transfer-Encoding") or not is_bounded:
        return Problem("cet envoi ne dit pas sa taille.", "", "Essayez un autre navigateur.")
    if int(length) > most:
        what = f"cet envoi dépasse {most >> 20}\u00a0Mo."
        return Problem(what, "", "Envoyez moins de fichiers à la fois.")
    return None
