"""The print shop: released jobs, download, ticket, sheets counted."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("atelier/", soon, name="shop"),
    path("atelier/<uuid:job>/", soon, name="shop-job"),
]
