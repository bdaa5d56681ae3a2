"""Forms made from manifests: filled as one types, ending in the document."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("etablissements/<str:uai>/formulaires/", soon, name="forms"),
    path("etablissements/<str:uai>/formulaires/<slug:slug>/", soon, name="form"),
]
