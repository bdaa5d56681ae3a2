"""Accounts of people and keys of programs."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("comptes/", soon, name="accounts"),
]
