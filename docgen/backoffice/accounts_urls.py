"""The addresses of accounts."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path

from docgen.backoffice import accounts, oidc, sign_in

View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """Let a page load nothing that is not ours."""

    @wraps(view)
    def shown(request: HttpRequest, *args: object, **values: object) -> HttpResponseBase:
        response = view(request, *args, **values)
        response.headers["Content-Security-Policy"] = accounts.POLICY
        return response

    return shown


VIEWS: dict[str, tuple[str, View]] = {
    "sign-in": ("connexion", sign_in.SignIn.as_view()),
    "sign-out": ("deconnexion", sign_in.SignOut.as_view()),
    "signed-out": ("deconnexion/faite", sign_in.signed_out),
    "account": ("compte", sign_in.account),
    "change-password": ("compte/mot-de-passe", sign_in.ChangePassword.as_view()),
    "password-changed": ("compte/modifie", sign_in.password_changed),
    "invitation": ("compte/invitation/<uidb64>/<token>", sign_in.Invitation.as_view()),
}
if oidc.is_set():
    VIEWS["oidc-start"] = ("connexion/fournisseur", oidc.start)
    VIEWS["oidc_authentication_callback"] = ("connexion/fournisseur/retour", oidc.back)
urlpatterns: list[URLPattern] = [
    path(address, page(view), name=name) for name, (address, view) in VIEWS.items()
]
