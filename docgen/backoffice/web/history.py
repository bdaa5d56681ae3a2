"""What happened to a document, a job, a school."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("historique/", soon, name="history"),
]
