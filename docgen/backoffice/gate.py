"""The one gate: what each role sees, row by row. Every query of a request starts here.

| role        | sees                                                     |
|-------------|----------------------------------------------------------|
| back office | everything                                               |
| school      | what is its own, by its UAI                              |
| region      | everything that concerns schools; says what it received  |
| print shop  | the jobs that were released to it                        |

A program sees its own hooks too. What an actor does not see does not exist for it: another school's
id answers like no id at all. A table without a wall is seen by nobody but the back office.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from docgen.backoffice import models
from docgen.backoffice.models import Client, Role, User
from docgen.backoffice.models.accounts import Holder

M = TypeVar("M", bound=Model)
NOTHING = Q(pk__in=())
RELEASED = ("released", "printed", "reopened")


@dataclass(frozen=True, slots=True)
class Wall:
    """The paths from a table to who may see its rows: their school, their shop, their program."""

    school: str = ""
    shop: str = ""
    client: str = ""


BACK_OFFICE_ONLY = Wall()
WALLS: dict[type[Model], Wall] = {
    models.School: Wall(school="pk"),
    models.Person: Wall(school="school"),
    models.Guardian: Wall(school="person__school"),
    models.Device: Wall(school="school"),
    models.Cession: Wall(school="school"),
    models.Loan: Wall(school="school"),
    models.PrintJob: Wall(school="school", shop="shop"),
    models.Volume: Wall(school="job__school", shop="job__shop"),
    models.Document: Wall(school="volume__job__school"),
    models.Attestation: Wall(school="school"),
    models.AttestedCession: Wall(school="school"),
    models.Conversion: Wall(school="school"),
    models.SchoolModel: Wall(school="school"),
    models.Paper: Wall(school="school"),
    models.ScanBatch: Wall(school="school"),
    models.ScanPart: Wall(school="batch__school"),
    models.ScannedPage: Wall(school="batch__school"),
    models.ReviewStep: Wall(school="page__batch__school"),
    models.Return: Wall(school="school"),
    models.Binding: Wall(school="school"),
    models.Delivery: Wall(school="school"),
    models.Message: Wall(school="school"),
    models.Mail: Wall(school="school"),
    models.Original: Wall(school="school"),
    models.Reminder: Wall(school="school"),
    models.Event: Wall(school="school"),
    models.Hook: Wall(client="client"),
    models.HookCall: Wall(client="hook__client"),
    models.Approval: BACK_OFFICE_ONLY,
    models.Beat: BACK_OFFICE_ONLY,
    models.Client: BACK_OFFICE_ONLY,
    models.CompiledForm: BACK_OFFICE_ONLY,
    models.IdempotentAnswer: BACK_OFFICE_ONLY,
    models.PrintShop: BACK_OFFICE_ONLY,
    models.TemplateVersion: BACK_OFFICE_ONLY,
    models.User: BACK_OFFICE_ONLY,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: an account or a program, its role and its bounds. `label` goes into events."""

    label: str
    role: str
    uai: str = ""
    shop: int = 0
    scopes: frozenset[str] = frozenset()
    client: int = 0

    @property
    def may_change(self) -> bool:
        """Tell whether the role may make or change anything."""
        return self.role in (Role.BACK_OFFICE, Role.SCHOOL)


SYSTEM = Actor("docgen", Role.BACK_OFFICE)


def actor(holder: User | Client) -> Actor:
    """Give the actor that an account or a program is."""
    rights: Holder = holder
    bounds = (str(holder), rights.role, rights.school_id or "", rights.shop_id or 0)
    if isinstance(holder, Client):
        return Actor(*bounds, frozenset(holder.scopes), holder.pk)
    return Actor(*bounds, frozenset({"*"}))


def visible(model: type[M], who: Actor) -> QuerySet[M]:
    """Give the rows of a table that an actor sees; no other query is made for a request."""
    rows: QuerySet[Any] = model._default_manager.all()
    return rows.filter(_bounds(model, who))


def _bounds(model: type[Model], who: Actor) -> Q:
    wall = WALLS.get(model, BACK_OFFICE_ONLY)
    if who.role == Role.BACK_OFFICE:
        return Q()
    if wall.client and who.client:
        return Q(**{wall.client: who.client})
    if wall.school and who.role == Role.REGION:
        # An event of no school is the back office's own: who signed in, which key was made.
        return ~Q(school="") if model is models.Event else Q()
    if wall.school and who.role == Role.SCHOOL and who.uai:
        return Q(**{wall.school: who.uai})
    if wall.shop and who.role == Role.PRINT_SHOP and who.shop:
        stage = wall.shop.removesuffix("shop") + "stage__in"
        return Q(**{wall.shop: who.shop, stage: RELEASED})
    return NOTHING
