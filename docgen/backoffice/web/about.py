"""Accessibility statement and help: open to everybody."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("accessibilite/", soon, name="accessibility"),
    path("aide/", soon, name="help"),
]
