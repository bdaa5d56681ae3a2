"""The addresses of the service."""

from django.urls import URLPattern, URLResolver, path

from docgen.backoffice.api import api

urlpatterns: list[URLPattern | URLResolver] = [path("api/v1/", api.urls)]
