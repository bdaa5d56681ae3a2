"""Pages of accounts: sign in, sign out, choose and change a password."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate, views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordChangeForm,
    SetPasswordForm,
    UsernameField,
)
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from docgen.backoffice import accounts, oidc
from docgen.backoffice.events import tell
from docgen.backoffice.models import User
from docgen.backoffice.passwords import RULE

Texts = dict[str, Any]
WRONG: Texts = {
    "invalid_login": (
        "Identifiant ou mot de passe incorrect. "
        "Vérifiez les majuscules, puis réessayez\u00a0; après cinq échecs, il faut attendre."
    )
}
UNLIKE: Texts = {"password_mismatch": "Les deux mots de passe diffèrent\u00a0: retapez-les."}
WAYS: Texts = {"has_provider": oidc.is_set()}


class SignInForm(AuthenticationForm):
    """A name and a password; the refusal is the same whichever is wrong."""

    error_messages = WRONG
    username = UsernameField(
        label="Identifiant", widget=forms.TextInput(attrs={"autofocus": True, "spellcheck": False})
    )


class ChooseForm(SetPasswordForm):  # type: ignore[type-arg] # it takes none when it runs
    """A password for an account that has none, or whose owner forgot it."""

    error_messages = UNLIKE
    new_password1, new_password2 = SetPasswordForm.create_password_fields(
        "Nouveau mot de passe", "Nouveau mot de passe, encore une fois"
    )
    new_password1.help_text, new_password2.help_text = RULE, ""

    def validate_password_for_user(self, user: User, password_field_name: str = "") -> None:
        """Say what is wrong with a password where it is typed first."""
        super().validate_password_for_user(user, "new_password1")


class ChangeForm(ChooseForm, PasswordChangeForm):
    """A password in place of another; wrong ones are counted as at the door."""

    request: HttpRequest
    old_password = forms.CharField(
        label="Mot de passe actuel",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    @sensitive_variables("old")
    def clean_old_password(self) -> str:
        """Check the present password."""
        old = str(self.cleaned_data["old_password"])
        name = self.user.get_username()
        if authenticate(self.request, username=name, password=old) != self.user:
            raise ValidationError("Ce n’est pas votre mot de passe actuel\u00a0: retapez-le.")
        return old


class SignIn(views.LoginView):
    """The door."""

    template_name = "accounts/sign-in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True
    extra_context = WAYS

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Begin the session."""
        target = self.get_success_url()
        accounts.enter(self.request, form.get_user(), "password")
        return redirect(target)


class SignOut(views.LogoutView):
    """The way out: of the provider too, for whoever came from there."""

    def post(self, request: HttpRequest, *args: object, **values: object) -> HttpResponse:
        """End the session."""
        provider = oidc.way_out(request)
        accounts.leave(request)
        return redirect(provider or "signed-out")


@method_decorator(login_required, name="dispatch")
class ChangePassword(views.PasswordChangeView):
    """Change of password; the account's other sessions end."""

    template_name = "accounts/change-password.html"
    form_class = ChangeForm
    success_url = reverse_lazy("password-changed")

    def dispatch(self, request: HttpRequest, *args: object, **values: object) -> HttpResponseBase:
        """Leave those alone who have no password here."""
        if isinstance(request.user, User) and request.user.subject:
            raise Http404
        return super().dispatch(request, *args, **values)

    def get_form(self, form_class: Any = None) -> ChangeForm:  # noqa: ANN401
        """Give the form its request, that wrong passwords are counted with."""
        form = ChangeForm(**self.get_form_kwargs())
        form.request = self.request
        return form

    def form_valid(self, form: Any) -> HttpResponse:  # noqa: ANN401
        """Keep the new password."""
        with transaction.atomic():
            tell("password-changed", str(self.request.user), actor=str(self.request.user))
            return super().form_valid(form)


class Invitation(views.PasswordResetConfirmView):
    """Where the owner of an account chooses a password, by a link that is good once."""

    template_name = "accounts/invitation.html"
    form_class = ChooseForm
    success_url = reverse_lazy("sign-in")

    def get_user(self, uidb64: str) -> User | None:
        """Know open accounts alone, and none that a provider answers for."""
        user = super().get_user(uidb64)
        return user if isinstance(user, User) and user.is_active and not user.subject else None

    def form_valid(self, form: Any) -> HttpResponse:  # noqa: ANN401
        """Keep the password."""
        with transaction.atomic():
            tell("password-chosen", str(self.user), actor=str(self.user))
            return super().form_valid(form)


@never_cache
@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show who is signed in, as what."""
    return render(request, "accounts/account.html", {"user": request.user})


@never_cache
@login_required
@require_safe
def password_changed(request: HttpRequest) -> HttpResponse:
    """Show the same, and that the password is changed."""
    return render(request, "accounts/account.html", {"user": request.user, "is_changed": True})


@never_cache
@require_safe
def signed_out(request: HttpRequest) -> HttpResponse:
    """Say that the session has ended."""
    return render(request, "accounts/signed-out.html")
