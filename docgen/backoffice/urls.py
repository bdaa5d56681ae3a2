"""The addresses of the service."""

from django.urls import URLPattern, URLResolver, include, path

from docgen.backoffice import health, metrics
from docgen.backoffice.api import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("", include("docgen.backoffice.accounts_urls")),
    path("", include("docgen.backoffice.web.urls")),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("metrics", metrics.page),
]
handler400 = "docgen.backoffice.pages.bad_request"
handler403 = "docgen.backoffice.pages.forbidden"
handler404 = "docgen.backoffice.pages.not_found"
handler500 = "docgen.backoffice.pages.server_error"
