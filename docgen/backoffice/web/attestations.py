"""Attestations of a school: two dates, what they hold, issue, print."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("etablissements/<str:uai>/attestations/", soon, name="attestations"),
    path("etablissements/<str:uai>/attestations/<uuid:attestation>/", soon, name="attestation"),
]
