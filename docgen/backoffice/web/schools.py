"""Schools, as the back office sees them."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("etablissements/", soon, name="schools"),
]
