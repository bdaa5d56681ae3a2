"""What stands at the top of every page: where somebody can go, by their role."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from docgen.backoffice.models import Role, User


@dataclass(frozen=True, slots=True)
class Entry:
    """A place to go to; `is_here` when the page is there, or below."""

    label: str
    address: str
    is_here: bool


OFFICE = (
    ("Tableau de bord", "dashboard"),
    ("Impressions", "jobs"),
    ("Numérisations", "all-scans"),
    ("À relire", "reviews"),
    ("Envois", "deliveries"),
    ("Établissements", "schools"),
    ("Modèles", "templates"),
    ("Comptes", "accounts"),
    ("Registre", "gap"),
)
REGION = (
    ("Vue d’ensemble", "region"),
    ("Attestations reçues", "received"),
    ("Originaux", "originals"),
    ("Écarts", "gap"),
    ("Rappels", "reminders"),
)
SHOP = (("Lots remis", "shop"),)
# of one school: the back office sees them below the school's name
OF_SCHOOL = (
    ("À faire", "school"),
    ("Données", "imports"),
    ("Personnes", "people"),
    ("Remise", "handover"),
    ("Prêts", "loans"),
    ("Impressions", "school-jobs"),
    ("Conventions", "conventions"),
    ("Formulaires", "forms"),
    ("Attestations", "attestations"),
    ("Numérisations", "scans"),
    ("Registre", "school-ledger"),
)

# pages whose address is not below that of their entry
BELOW = {
    **dict.fromkeys(("missing", "returns", "return", "scan", "scan-sides", "reviews"), "scans"),
    **dict.fromkeys(("review", "review-turn"), "scans"),
    **dict.fromkeys(("job", "job-cancel"), "school-jobs"),
}


def facts(request: HttpRequest) -> dict[str, Any]:
    """Give every template the menu of who asks, and that of the school that a page is about."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    uai = user.school_id or _school(request)
    menu = [] if user.role == Role.SCHOOL else _entries(request, _places(user.role))
    of_school: list[Entry] = []
    if uai and user.role in (Role.SCHOOL, Role.BACK_OFFICE):
        of_school = _entries(request, OF_SCHOOL, uai)
    return {"menu": menu or of_school, "school_menu": of_school if menu else [], "menu_uai": uai}


def _places(role: str) -> Sequence[tuple[str, str]]:
    return {Role.BACK_OFFICE: OFFICE, Role.REGION: REGION, Role.PRINT_SHOP: SHOP}[Role(role)]


def _school(request: HttpRequest) -> str:
    return str(request.resolver_match.kwargs.get("uai", "")) if request.resolver_match else ""


def _entries(request: HttpRequest, places: Sequence[tuple[str, str]], *args: object) -> list[Entry]:
    addresses = [reverse(name, args=args) for _, name in places]
    # A school's own page is above all its others: the longest address that fits is where one is.
    fit = (each for each in addresses if request.path.startswith(each))
    named = BELOW.get(request.resolver_match.url_name or "") if request.resolver_match else None
    own = [each for (_, name), each in zip(places, addresses, strict=True) if name == named]
    here = max(own or fit, key=len, default="")
    pairs = zip(places, addresses, strict=True)
    return [Entry(label, address, address == here) for (label, _), address in pairs]
