"""What the region received: attestations, the signed file beside its data."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("region/", soon, name="region"),
    path("region/attestations/", soon, name="received"),
    path("region/attestations/<uuid:attestation>/", soon, name="received-one"),
]
