"""Import of a school's files, with every problem and how to mend it."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("etablissements/<str:uai>/donnees/", soon, name="imports"),
]
