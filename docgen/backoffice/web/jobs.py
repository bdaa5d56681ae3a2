"""Print jobs: the list, one job, cancel, reprint, release."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("impressions/", soon, name="jobs"),
    path("impressions/<uuid:job>/", soon, name="job"),
    path("etablissements/<str:uai>/impressions/", soon, name="school-jobs"),
]
