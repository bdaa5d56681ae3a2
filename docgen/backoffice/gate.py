"""The one gate: what each role sees, row by row. Every query of a request starts here.

| role        | sees                                                     |
|-------------|----------------------------------------------------------|
| back office | everything                                               |
| school      | what is its own, by its UAI                              |
| region      | everything that concerns schools, and changes nothing    |
| print shop  | the jobs that were released to it                        |

What an actor does not see does not exist for it: another school's id answers like no id at all.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from docgen.backoffice.models import (
    Attestation,
    Cession,
    Client,
    Conversion,
    Device,
    Document,
    Event,
    Hook,
    Loan,
    Person,
    PrintJob,
    Role,
    School,
    SchoolModel,
    User,
    Volume,
)
from docgen.backoffice.models.accounts import Holder

M = TypeVar("M", bound=Model)
NOTHING = Q(pk__in=())
# The path from a table to the school that its rows belong to.
SCHOOL_PATHS: dict[type[Model], str] = {
    School: "pk",
    Person: "school",
    Device: "school",
    Cession: "school",
    Loan: "school",
    PrintJob: "school",
    Volume: "job__school",
    Document: "volume__job__school",
    Attestation: "school",
    Conversion: "school",
    SchoolModel: "school",
    Event: "school",
}
# The path from a table to the shop that its rows were released to; a shop sees no other table.
SHOP_PATHS: dict[type[Model], str] = {PrintJob: "shop", Volume: "job__shop"}
RELEASED = ("released", "printed", "reopened")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: an account or a program, its role and its bounds. `label` goes into events."""

    label: str
    role: str
    uai: str = ""
    shop: int = 0
    scopes: frozenset[str] = frozenset()

    @property
    def may_change(self) -> bool:
        """Tell whether the role may make or change anything."""
        return self.role in (Role.BACK_OFFICE, Role.SCHOOL)


SYSTEM = Actor("docgen", Role.BACK_OFFICE)


def actor(holder: User | Client) -> Actor:
    """Give the actor that an account or a program is."""
    scopes = frozenset(holder.scopes) if isinstance(holder, Client) else frozenset({"*"})
    rights: Holder = holder
    return Actor(str(holder), rights.role, rights.school_id or "", rights.shop_id or 0, scopes)


def visible(model: type[M], who: Actor) -> QuerySet[M]:
    """Give the rows of a table that an actor sees; no other query is made for a request."""
    rows: QuerySet[Any] = model._default_manager.all()
    return rows.filter(_bounds(model, who))


def _bounds(model: type[Model], who: Actor) -> Q:
    if who.role == Role.BACK_OFFICE:
        return Q()
    if model is Hook:
        return Q(client=who.label.removeprefix("client:")) if "client:" in who.label else NOTHING
    if who.role == Role.REGION and model in SCHOOL_PATHS:
        return Q()
    if who.role == Role.SCHOOL and who.uai and model in SCHOOL_PATHS:
        return Q(**{SCHOOL_PATHS[model]: who.uai})
    if who.role == Role.PRINT_SHOP and who.shop and model in SHOP_PATHS:
        path = SHOP_PATHS[model]
        stage = path.removesuffix("shop") + "stage__in"
        return Q(**{path: who.shop, stage: RELEASED})
    return NOTHING
