"""The ledger of a school, and the gap of each."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("etablissements/<str:uai>/registre/", soon, name="school-ledger"),
    path("registre/", soon, name="gap"),
]
