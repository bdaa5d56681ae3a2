"""The provider's addresses: its own sign-in, that asks for a name only, and OpenID Connect."""

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def sign_in(request: HttpRequest) -> HttpResponse:
    login(request, User.objects.get(username=request.GET["name"]))
    return HttpResponse()


urlpatterns = [
    path("login", sign_in),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
