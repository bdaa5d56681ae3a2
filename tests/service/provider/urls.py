"""The provider's addresses: its own sign-in, that asks for a name only, and OpenID Connect."""

import json

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from jwcrypto import jwt
from oauth2_provider.models import AccessToken, Application
from oauth2_provider.views import UserInfoView

from tests.service.provider.validator import told


def sign_in(request: HttpRequest) -> HttpResponse:
    login(request, User.objects.get(username=request.GET["name"]))
    return HttpResponse()


def user_info(request: HttpRequest) -> HttpResponse:
    """Tell who somebody is; as a signed token where that is asked for (ProConnect does)."""
    response = UserInfoView.as_view()(request)
    claims = json.loads(response.content)
    token = request.headers["Authorization"].removeprefix("Bearer ")
    audience = told(AccessToken.objects.get(token=token).user.username).get("signed_for")
    if audience is None:
        return response
    key = Application.objects.get().jwk_key
    claims |= {"iss": request.build_absolute_uri("/o"), "aud": audience}
    made = jwt.JWT(header={"alg": "RS256", "kid": key.thumbprint()}, claims=claims)
    made.make_signed_token(key)
    return HttpResponse(made.serialize(), content_type="application/jwt")


urlpatterns = [
    path("login", sign_in),
    path("o/userinfo/", user_info),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
