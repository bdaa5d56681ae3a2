"""Accessibility statement and help: open to everybody."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from docgen.backoffice.web.frame import dressed, page
from docgen.datafolder import data_folder
from docgen.region import read_region


@require_safe
def accessibility(request: HttpRequest) -> HttpResponseBase:
    """State what of the service is accessible, what is not, and whom to tell (RGAA 4)."""
    region = read_region(None, data_folder())
    return dressed(page(request, "web/about/accessibility.html", {"region": region}))


@require_safe
def guide(request: HttpRequest) -> HttpResponseBase:
    """Tell each of the four kinds of people what to do, in five steps."""
    return dressed(page(request, "web/about/help.html"))


urls: list[URLPattern] = [
    path("accessibilite/", accessibility, name="accessibility"),
    path("aide/", guide, name="help"),
]
