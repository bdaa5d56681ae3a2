"""Where each role lands, and what a school does next."""

from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path

from docgen.backoffice.models import Role
from docgen.backoffice.web.frame import EVERYBODY, Asked, screen
from docgen.backoffice.web.soon import soon

LANDINGS = {Role.BACK_OFFICE: "dashboard", Role.REGION: "region", Role.PRINT_SHOP: "shop"}


@screen(*EVERYBODY)
def home(request: Asked) -> HttpResponseBase:
    """Send everybody to the first of their screens."""
    if request.user.role == Role.SCHOOL:
        return redirect("school", request.user.school_id)
    return redirect(LANDINGS[Role(request.user.role)])


urls: list[URLPattern] = [
    path("", home, name="home"),
    path("etablissements/<str:uai>/", soon, name="school"),
]
