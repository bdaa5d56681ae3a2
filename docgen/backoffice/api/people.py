"""People and tablets of a school, as its last files left them."""

from datetime import date
from typing import Annotated

from ninja import Query, Router, Schema
from pydantic import Field

from docgen.backoffice import models
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.reading import Id, Uai
from docgen.records import Audience

router = Router(tags=["people"])


class Person(Schema):
    """Somebody of a school; the national identifier (INE) and the guardians are not given."""

    id: int
    internal_id: str
    audience: str
    school_year: str
    is_present: bool
    family_name: str
    first_name: str
    usage_name: str
    birth_date: date | None
    division: str
    level: str
    civility: str
    function: str


class Filters(Schema):
    """Which people are wanted."""

    audience: Audience | None = None
    is_present: bool | None = None
    division: Annotated[str, Field(max_length=50)] | None = None


class Device(Schema):
    """A tablet of the stock."""

    serial: str
    model: str
    state: str


@router.get("/schools/{uai}/people", auth=scope("read:people"), response=Page[Person])
def listed(request: Request, uai: Uai, paging: Paged, only: Query[Filters]) -> dict[str, object]:
    """Liste les personnes d’un établissement."""
    school = one(seen(models.School, request), pk=uai)
    rows = seen(models.Person, request).filter(school=school)
    return page(rows.filter(**only.model_dump(exclude_none=True)), ["id"], paging)


@router.get("/schools/{uai}/people/{person}", auth=scope("read:people"), response=Person)
def read(request: Request, uai: Uai, person: Id) -> models.Person:
    """Donne une personne."""
    return one(seen(models.Person, request), school=uai, pk=person)


@router.get("/schools/{uai}/devices", auth=scope("read:devices"), response=Page[Device])
def devices(request: Request, uai: Uai, paging: Paged) -> dict[str, object]:
    """Liste le stock de tablettes."""
    school = one(seen(models.School, request), pk=uai)
    return page(seen(models.Device, request).filter(school=school), ["serial"], paging)
