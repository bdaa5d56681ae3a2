"""Print shops, and the programs that call the API: their tokens, shown once."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import BadRequest
from django.db.models import Count, Q
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from docgen.backoffice import releases, tokens
from docgen.backoffice.api import access
from docgen.backoffice.models import Client, PrintShop, Role, School
from docgen.backoffice.web.accounts import ROLES
from docgen.backoffice.web.frame import BACK_OFFICE, Asked, one, page, say, screen, seen, warn
from docgen.backoffice.web.inputs import Form
from docgen.errors import InvalidInput

# What a right lets a program do, in words: to read, to write.
FAMILIES = {
    "schools": ("Lire les fiches des établissements", "Modifier les fiches des établissements"),
    "rosters": ("Lire les imports de fichiers", "Importer les fichiers d’un établissement"),
    "people": ("Lire les élèves et les professeurs", "Modifier les élèves et les professeurs"),
    "devices": ("Lire le stock de tablettes", "Modifier le stock de tablettes"),
    "cessions": ("Lire les cessions", "Céder une tablette, annuler une cession"),
    "loans": ("Lire les prêts", "Prêter, enregistrer un retour"),
    "templates": ("Lire les modèles de documents", "Modifier les modèles de documents"),
    "print-jobs": ("Suivre les lots d’impression", "Demander, annuler et réimprimer des lots"),
    "releases": ("Lire les lots remis aux imprimeurs", "Remettre un lot, le reprendre"),
    "counts": ("Lire les feuilles comptées", "Rendre compte des feuilles imprimées"),
    "attestations": ("Lire les attestations et le registre", "Éditer des attestations"),
    "conventions": ("Lire les conventions de prêt", "Demander des conventions"),
    "hooks": ("Lire ses signalements", "Se faire prévenir de ce qui arrive"),
    "scans": ("Lire les numérisations", "Envoyer des numérisations, les relire"),
    "mails": ("Lire les courriels reçus", "Reprendre ou écarter un courriel"),
    "originals": ("Suivre les originaux", "Dire qu’un original est posté"),
    "receptions": ("Lire les réceptions d’originaux", "Enregistrer la réception d’un original"),
    "deliveries": ("Suivre les envois à la Région", "Relancer ou débloquer un envoi"),
}
MOST = 200  # programs shown; a region has a dozen
LIFETIMES = (("30", "30 jours"), ("90", "90 jours"), ("365", "Un an"), ("1825", "Cinq ans"))


def words(scope: str) -> str:
    """Say what a right lets a program do."""
    verb, _, family = scope.partition(":")
    return FAMILIES[family][verb == "write"] if family in FAMILIES else scope


class ShopForm(Form):
    """A print shop to make known."""

    name = forms.CharField(label="Nom de l’imprimeur", max_length=100)


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE)
def shops(request: Asked) -> HttpResponseBase:
    """List the print shops, and make another one known."""
    form = ShopForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            releases.add_shop(form.cleaned_data["name"], request.who.label)
        except InvalidInput as error:
            form.take(error, name="name")
        else:
            said = "Imprimeur ajouté. Ouvrez-lui un compte\u00a0: il y trouvera les lots remis."
            say(request, said)
            return redirect("shops")
    opened = Count("user", filter=Q(user__is_active=True), distinct=True)
    rows = seen(PrintShop, request).annotate(accounts=opened, lots=Count("jobs", distinct=True))
    facts = {"form": form, "shops": rows.order_by("name")}
    return page(request, "web/accounts/shops.html", facts, status=422 if form.errors else 0)


@require_safe
@screen(BACK_OFFICE)
def programs(request: Asked) -> HttpResponse:
    """List the programs that hold a token."""
    rows = seen(Client, request).select_related("school", "shop").order_by("-pk")
    now = timezone.now()
    told = [
        {
            "row": each,
            "rights": [words(scope) for scope in each.scopes],
            "is_expired": each.expires_at <= now,
        }
        for each in rows[:MOST]
    ]
    return page(request, "web/accounts/programs.html", {"programs": told, "most": MOST})


class ProgramForm(Form):
    """A program: what it is called, whose it is, what it may do and how long."""

    name = forms.CharField(
        label="Nom du programme",
        max_length=100,
        help_text="Pour le reconnaître\u00a0: ce qu’il fait, et qui en répond.",
    )
    role = forms.ChoiceField(label="Rôle", choices=ROLES, widget=forms.RadioSelect)
    uai = forms.CharField(
        label="UAI de l’établissement",
        max_length=12,
        required=False,
        help_text="Pour le rôle Établissement.",
    )
    shop = forms.ModelChoiceField(
        label="Imprimeur",
        queryset=PrintShop.objects.none(),
        required=False,
        empty_label="Aucun",
        help_text="Pour le rôle Imprimeur.",
    )
    scopes = forms.MultipleChoiceField(
        label="Droits",
        choices=[(scope, words(scope)) for scope in access.SCOPES],
        widget=forms.CheckboxSelectMultiple,
        help_text="Ne cochez que ce dont il a besoin.",
    )
    days = forms.ChoiceField(label="Durée", choices=LIFETIMES, initial="365")

    def __init__(self, request: Asked) -> None:
        super().__init__(request.POST or None)
        shop = self.fields["shop"]
        assert isinstance(shop, forms.ModelChoiceField)  # noqa: S101 - for the types
        shop.queryset = seen(PrintShop, request).order_by("name")

    def clean(self) -> dict[str, Any]:
        """Hold the role, its bounds and the rights together; every problem at once."""
        super().clean()
        facts = self.cleaned_data
        role = facts.get("role", "")
        facts["school"] = None
        if role == Role.SCHOOL:
            uai = "".join(facts.get("uai", "").split()).upper()
            facts["school"] = School.objects.filter(pk=uai).first()
            if facts["school"] is None:
                self.add_error("uai", "Donnez l’UAI d’un établissement déjà connu.")
        if role == Role.PRINT_SHOP and not facts.get("shop"):
            self.add_error("shop", "Choisissez l’imprimeur.")
        possible = access.scopes_of(role) if role else access.SCOPES
        for scope in facts.get("scopes", ()):
            if scope not in possible:
                said = f"«\u00a0{words(scope)}\u00a0»\u00a0: ce rôle ne le permet pas, décochez-le."
                self.add_error("scopes", said)
        return facts


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE)
def add(request: Asked) -> HttpResponse:
    """Make a program known, and show its token in the answer alone."""
    form = ProgramForm(request)
    if request.method == "POST" and form.is_valid():
        facts = form.cleaned_data
        client, token = tokens.issue(
            *(facts["name"], facts["role"], facts["scopes"], request.who.label),
            school=facts["school"],
            shop=facts["shop"] if facts["role"] == Role.PRINT_SHOP else None,
            lifetime=timedelta(days=int(facts["days"])),
        )
        return page(request, "web/accounts/token.html", {"program": client, "token": token})
    facts = {"form": form}
    return page(request, "web/accounts/program_add.html", facts, status=422 if form.errors else 0)


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE)
def revoke(request: Asked, program: int) -> HttpResponseBase:
    """Revoke a program's token, once asked."""
    client = one(seen(Client, request), pk=program)
    if request.method == "POST":
        if request.POST.get("confirmed") != "yes":
            raise BadRequest
        tokens.revoke(client, request.who.label)
        say(request, "Jeton révoqué\u00a0: ce programme est refusé dès sa prochaine demande.")
        return redirect("programs")
    if client.revoked_at:
        warn(request, "Ce jeton est déjà révoqué\u00a0: il n’y a rien à faire.")
        return redirect("programs")
    facts = {
        "title": "Révoquer ce jeton\u202f?",
        "consequence": (
            f"Le programme «\u00a0{client.name}\u00a0» sera refusé dès sa prochaine demande. "
            "Cela ne se défait pas\u00a0: il lui faudra un nouveau jeton."
        ),
        "button": "Révoquer le jeton",
        "back": reverse("programs"),
    }
    return page(request, "web/parts/confirm.html", facts)


urls: list[URLPattern] = [
    path("comptes/imprimeurs/", shops, name="shops"),
    path("comptes/programmes/", programs, name="programs"),
    path("comptes/programmes/nouveau/", add, name="program-add"),
    path("comptes/programmes/<int:program>/revocation/", revoke, name="program-revoke"),
]
