"""The door of the API: sizes looked at before anything is read, and every refusal in one form."""

import re
from collections.abc import Callable
from http import HTTPMethod

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.http.response import HttpResponse

from docgen.backoffice.api.problems import Told, answer, of_status
from docgen.errors import Problem

PLACE = "/api/"
MOST_JSON = 1 << 20
MOST_FILES = 64 << 20  # all the files of a school, together
JSON, FORM = "application/json", "multipart/form-data"
MOST = {JSON: MOST_JSON, FORM: MOST_FILES}
SCANS = re.compile(r"/api/v1/(schools/[^/]+/)?scans")  # where piles of scans are sent to
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Answerer = Callable[[HttpRequest], HttpResponseBase]


class Guard:
    """The outermost middleware; it looks at nothing but the API."""

    def __init__(self, get_response: Answerer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse what is too large or unreadable, else answer, and see to the answer's headers."""
        if not request.path_info.startswith(PLACE):
            return self.get_response(request)
        is_head = request.method == HTTPMethod.HEAD
        if is_head:
            request.method = "GET"
        if SCANS.fullmatch(request.path_info):  # straight to disk, whatever their size
            request.upload_handlers = [TemporaryFileUploadHandler(request)]
        response = refusal(request) or self.get_response(request)
        if response.status_code >= 400 and not isinstance(response, Told):
            response = _in_our_form(response)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return _without_body(response) if is_head else response


def refusal(request: HttpRequest) -> HttpResponse | None:
    """Say why a request is refused before its body is read, if it is."""
    if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
        return answer("malformed-request", [Problem("l’adresse contient un caractère nul.")])
    if request.headers.get("Transfer-Encoding"):
        # Nothing bounds a body that does not say how long it is.
        return answer("length-required", [Problem("la taille manque.", "Content-Length")])
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return answer("malformed-request", [Problem("cette taille n’en est pas une.")])
    if int(length) == 0:
        return None
    most = MOST.get(str(request.content_type))
    if most and request.content_type == FORM and SCANS.fullmatch(request.path_info):
        most = settings.SCAN_MOST
    if most is None:
        what = f"envoyez du JSON ({JSON}) ou des fichiers ({FORM})."
        return answer("media-type", [Problem(what, "Content-Type")])
    if int(length) > most:
        what = f"l’envoi dépasse {most >> 20}\u00a0Mo."
        return answer("too-large", [Problem(what, "", "Envoyez moins de données à la fois.")])
    return None


def _in_our_form(response: HttpResponseBase) -> HttpResponse:
    """Tell a refusal that Django made in its own form."""
    told = of_status(response.status_code)
    for name in ("Allow", "Retry-After", "WWW-Authenticate"):
        if name in response.headers:
            told[name] = response.headers[name]
    return told


def _without_body(response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, StreamingHttpResponse):
        response.streaming_content = iter(())
    elif isinstance(response, HttpResponse):
        response.content = b""
    return response
