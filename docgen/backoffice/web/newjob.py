"""A print job in four steps: document, people, options, preview."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("etablissements/<str:uai>/impressions/nouvelle/", soon, name="new-job"),
    path("impressions/nouvelle/", soon, name="new-job-school"),
]
