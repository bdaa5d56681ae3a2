"""Upload of signed scans, live recognition, what is missing."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("numerisations/", soon, name="all-scans"),
    path("etablissements/<str:uai>/numerisations/", soon, name="scans"),
    path("numerisations/<uuid:scan>/", soon, name="scan"),
]
