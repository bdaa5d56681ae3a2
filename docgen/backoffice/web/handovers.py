"""Hand-over at the table: a serial, a pupil, done."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("etablissements/<str:uai>/remise/", soon, name="handover"),
]
