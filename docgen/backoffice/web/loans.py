"""Loans: in stock, lend, return with its receipt."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("etablissements/<str:uai>/prets/", soon, name="loans"),
]
