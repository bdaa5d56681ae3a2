"""Paper originals, received by scanning their code."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("region/originaux/", soon, name="originals"),
]
