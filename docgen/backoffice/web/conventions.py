"""Customised conventions to download, and the school's own models."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("etablissements/<str:uai>/conventions/", soon, name="conventions"),
]
