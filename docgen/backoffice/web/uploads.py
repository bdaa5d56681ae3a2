"""Files sent by a form: their size is looked at before any of it is read, and they go to disk."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from docgen.backoffice.api import guard
from docgen.backoffice.web.frame import View
from docgen.errors import Problem

TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


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
                    facts = {"problems": [problem], "back": request.path}
                    return render(request, "web/toolarge.html", facts, status=TOO_LARGE)
                request.upload_handlers = [TemporaryFileUploadHandler(request)]
            return csrf_protect(view)(request, *args, **values)

        return taken

    return made


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
