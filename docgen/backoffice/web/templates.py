"""Templates: what exists, its versions, fields, preview and check."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("modeles/", soon, name="templates"),
    path("modeles/<slug:slug>/", soon, name="template"),
]
