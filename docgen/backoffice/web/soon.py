"""A place that is not built yet. This module goes away with the last of them."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from docgen.backoffice.web.frame import EVERYBODY, page, screen


@screen(*EVERYBODY)
def soon(request: HttpRequest, **values: object) -> HttpResponseBase:
    """Say so."""
    return page(request, "web/soon.html")
