"""The back office at a glance: what runs, what waits, what is late."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("tableau/", soon, name="dashboard"),
]
