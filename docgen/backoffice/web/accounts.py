"""Accounts of people: listed, opened with a link to hand over, closed and opened again."""

from django import forms
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from docgen.backoffice import accounts as service
from docgen.backoffice.models import PrintShop, Role, User
from docgen.backoffice.web.frame import BACK_OFFICE, Asked, one, page, say, screen, seen
from docgen.backoffice.web.inputs import Form
from docgen.backoffice.web.lists import Filter, Listing
from docgen.errors import InvalidInput, Problem

# What each role may do, for whoever chooses one.
ROLES = (
    (Role.BACK_OFFICE, "Gestionnaire\u00a0: voit tout, imprime et envoie pour tous"),
    (Role.SCHOOL, "Établissement\u00a0: ses élèves, ses tablettes, ses documents"),
    (Role.REGION, "Région\u00a0: les attestations reçues, les originaux, les écarts"),
    (Role.PRINT_SHOP, "Imprimeur\u00a0: les lots qui lui sont remis"),
)
STATES = (("ouvert", "Ouverts"), ("attente", "Mot de passe à choisir"), ("ferme", "Fermés"))
UNUSABLE = "!"  # how Django writes a password that nobody can type


@require_safe
@screen(BACK_OFFICE)
def accounts(request: Asked) -> HttpResponse:
    """List the accounts of people."""
    rows = seen(User, request).select_related("school", "shop")
    roles = [(role.value, label.partition("\u00a0:")[0]) for role, label in ROLES]
    listing = Listing(
        request,
        rows,
        search=("username", "school__uai", "school__name", "school__city", "shop__name"),
        sorts={
            "identifiant": ("username",),
            "role": ("role", "username"),
            "connexion": ("-last_login",),
        },
        filters=(
            Filter("role", "Rôle", roles, "role"),
            Filter("etat", "État", STATES, _in_state),
        ),
        label="Identifiant, établissement ou imprimeur",
    )
    return page(request, "web/accounts/accounts.html", {"listing": listing})


def _in_state(rows: QuerySet[User], value: str) -> QuerySet[User]:
    waiting = {"password__startswith": UNUSABLE, "subject": ""}
    if value == "ferme":
        return rows.filter(is_active=False)
    if value == "attente":
        return rows.filter(is_active=True, **waiting)
    return rows.filter(is_active=True).exclude(**waiting)


class AccountForm(Form):
    """An account to open: who it is for, and what it may see."""

    login = forms.CharField(
        label="Identifiant",
        max_length=150,
        help_text="Ce que la personne tapera pour se connecter, par exemple secretariat-0130010R.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label="Rôle", choices=ROLES, widget=forms.RadioSelect)
    uai = forms.CharField(
        label="UAI de l’établissement",
        max_length=12,
        required=False,
        help_text="Pour le rôle Établissement, par exemple 0130010R.",
    )
    shop = forms.ChoiceField(label="Imprimeur", required=False)

    def __init__(self, request: Asked) -> None:
        asked = {name: request.GET.get(name, "") for name in ("role", "uai")}
        super().__init__(request.POST or None, initial=asked)
        found = list(seen(PrintShop, request).order_by("name"))
        shops = [(each.name, each.name) for each in found]
        wanted = request.GET.get("imprimeur", "")
        self.initial["shop"] = next((each.name for each in found if str(each.pk) == wanted), "")
        shop = self.fields["shop"]
        shop.help_text = "Pour le rôle Imprimeur."
        assert isinstance(shop, forms.ChoiceField)  # noqa: S101 - for the types
        shop.choices = [("", "Aucun"), *shops]

    def opened(self, by: str) -> User | None:
        """Open the account; None when it is refused, and the form says why."""
        facts = self.cleaned_data
        uai = "".join(facts["uai"].split()).upper()
        try:
            return service.open_account(
                facts["login"], facts["role"], by, uai=uai, shop=facts["shop"]
            )
        except InvalidInput as error:
            self.take(error, identifiant="login", UAI="uai", imprimeur="shop")
            return None


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE)
def add(request: Asked) -> HttpResponse:
    """Open an account, and give the link where its owner chooses a password."""
    form = AccountForm(request)
    if request.method == "POST" and form.is_valid():
        user = form.opened(request.who.label)
        if user:
            return _invited(request, user)
    return page(request, "web/accounts/add.html", {"form": form}, status=422 if form.errors else 0)


def _invited(request: Asked, user: User) -> HttpResponse:
    """Show the link that opens an account, in the answer alone: it is kept nowhere."""
    link = service.invitation(user, request.who.label)
    return page(request, "web/accounts/invited.html", {"account": user, "link": link})


def _user(request: Asked, account: int) -> User:
    return one(seen(User, request).select_related("school", "shop"), pk=account)


@require_safe
@screen(BACK_OFFICE)
def show(request: Asked, account: int) -> HttpResponse:
    """Show an account, and what can be done with it."""
    return _shown(request, _user(request, account))


def _shown(request: Asked, user: User, error: InvalidInput | None = None) -> HttpResponse:
    facts = {"account": user, "is_own": user.pk == request.user.pk}
    return page(request, "web/accounts/one.html", facts, problems=error)


@require_POST
@screen(BACK_OFFICE)
def invite(request: Asked, account: int) -> HttpResponse:
    """Give a new link for an account whose owner lost the other, or forgot the password."""
    user = _user(request, account)
    if not user.is_active or user.subject:
        what = "aucun lien ne peut être donné pour ce compte."
        remedy = "Il est fermé, ou sa connexion passe par le fournisseur d’identité."
        return _shown(request, user, InvalidInput(Problem(what, "", remedy)))
    return _invited(request, user)


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE)
def close(request: Asked, account: int) -> HttpResponseBase:
    """Close an account, once asked."""
    user = _user(request, account)
    if user.pk == request.user.pk:
        what = "vous ne pouvez pas fermer votre propre compte."
        remedy = "Demandez-le à un autre gestionnaire."
        return _shown(request, user, InvalidInput(Problem(what, "", remedy)))
    if request.method == "POST":
        if request.POST.get("confirmed") != "yes":
            raise BadRequest
        service.close(user, request.who.label)
        say(request, "Compte fermé.", undo=reverse("account-reopen", args=(user.pk,)))
        return redirect("account-of", user.pk)
    facts = {
        "title": "Fermer ce compte\u202f?",
        "consequence": (
            "Ses sessions s’arrêtent tout de suite et son mot de passe est oublié. Ce que cette "
            "personne a fait reste à l’historique. Le compte pourra être rouvert."
        ),
        "button": "Fermer le compte",
        "back": reverse("account-of", args=(user.pk,)),
    }
    return page(request, "web/parts/confirm.html", facts)


@require_POST
@screen(BACK_OFFICE)
def reopen(request: Asked, account: int) -> HttpResponseBase:
    """Open again an account that was closed; it needs a new link."""
    user = _user(request, account)
    service.reopen(user, request.who.label)
    if user.subject:
        say(request, "Compte rouvert.")
    else:
        say(request, "Compte rouvert. Donnez un nouveau lien à la personne pour son mot de passe.")
    return redirect("account-of", user.pk)


urls: list[URLPattern] = [
    path("comptes/", accounts, name="accounts"),
    path("comptes/nouveau/", add, name="account-add"),
    path("comptes/<int:account>/", show, name="account-of"),
    path("comptes/<int:account>/lien/", invite, name="account-invite"),
    path("comptes/<int:account>/fermeture/", close, name="account-close"),
    path("comptes/<int:account>/reouverture/", reopen, name="account-reopen"),
]
