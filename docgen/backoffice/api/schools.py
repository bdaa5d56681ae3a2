"""Schools: listed, read, and kept as a back office or the school itself tells them."""

from typing import Annotated, Literal

from ninja import Router, Schema
from ninja.responses import Status
from pydantic import Field

from docgen import records
from docgen.backoffice import models, registers
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.api.reading import Body, Email, Label, Name, Uai, text
from docgen.backoffice.models import Role
from docgen.errors import InvalidInput, Problem
from docgen.identifiers import uai_problem

router = Router(tags=["schools"])


class Head(Body):
    """The head of a school, who signs in its name."""

    civility: Literal["M.", "Mme", ""] = ""
    name: Name
    title: Name


class SchoolFacts(Body):
    """What is kept of a school."""

    name: Label
    address: Annotated[list[Label], Field(min_length=1, max_length=6)]
    postal_code: Annotated[str, Field(pattern="^[0-9]{5}$")]
    city: Name
    email: Email = ""
    phone: Annotated[str, text(30)] = ""
    head: Head


class School(Schema):
    """A school."""

    uai: str
    name: str
    address: list[str]
    postal_code: str
    city: str
    email: str
    phone: str
    head: Head


def told(row: models.School) -> School:
    """Give a school as the API tells it."""
    record = registers.school(row)
    facts = {name: getattr(record, name) for name in School.model_fields if name != "head"}
    head = Head.model_construct(
        civility=record.head.civility, name=record.head.name, title=record.head.title
    )
    return School.model_construct(**{**facts, "address": list(record.address)}, head=head)


@router.get("/schools", auth=scope("read:schools"), response=Page[School])
def listed(request: Request, paging: Paged) -> dict[str, object]:
    """Liste les établissements."""
    found = page(seen(models.School, request), ["uai"], paging)
    return {**found, "items": [told(row) for row in found["items"]]}


@router.get("/schools/{uai}", auth=scope("read:schools"), response=School)
def read(request: Request, uai: str) -> School:
    """Donne un établissement."""
    return told(one(seen(models.School, request), pk=uai))


@router.put("/schools/{uai}", auth=scope("write:schools"), response={200: School, 201: School})
def keep(request: Request, uai: Uai, facts: SchoolFacts) -> Status[School]:
    """Enregistre un établissement ; seul un gestionnaire peut en ajouter un."""
    row = seen(models.School, request).filter(pk=uai).first()
    if row is None and request.auth.role != Role.BACK_OFFICE:
        raise Refused("not-found", Problem("aucun établissement ne porte cet UAI."))
    if problem := uai_problem(uai):
        raise InvalidInput(Problem(problem, "uai"))
    head = records.Head(facts.head.civility, facts.head.name, facts.head.title)
    record = records.School(
        *(uai, facts.name, tuple(facts.address), facts.postal_code, facts.city),
        *(facts.email, facts.phone, head),
    )
    kept = registers.keep_school(record, request.auth.label)
    return Status(201 if row is None else 200, told(kept))
