"""Templates on the shelf: what they are, their layouts, and the schema of their values."""

from typing import Any

from ninja import Router, Schema

from docgen import library
from docgen.backoffice.api.access import Request, scope
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.api.reading import Slug
from docgen.errors import Problem
from docgen.manifest import Manifest
from docgen.schema import values_schema

router = Router(tags=["templates"])


class Layout(Schema):
    """One way of laying a template out, with the paper that it promises for each document."""

    name: str
    title: str
    pages: int
    sides: int
    sheets: int


class Template(Schema):
    """A template; those of engine `press` are printed by jobs."""

    slug: str
    kind: str
    title: str
    version: str
    audience: str
    engine: str
    default_copies: int
    layouts: list[Layout]


@router.get("/templates", auth=scope("read:templates"), response=list[Template])
def listed(request: Request) -> list[Manifest]:
    """Liste les modèles."""
    return [template.manifest for template in library.load_all()]


@router.get("/templates/{slug}", auth=scope("read:templates"), response=Template)
def read(request: Request, slug: Slug) -> Manifest:
    """Donne un modèle."""
    return found(slug).manifest


@router.get("/templates/{slug}/schema", auth=scope("read:templates"), response=dict[str, Any])
def schema(request: Request, slug: Slug) -> dict[str, Any]:
    """Donne le schéma JSON des valeurs d’un modèle."""
    return values_schema(found(slug))


def found(slug: str) -> library.Template:
    """Give a template of the shelf.

    Raises:
        Refused: when there is none of that name.
    """
    if slug not in library.slugs():
        what = "aucun modèle ne porte ce nom."
        raise Refused("not-found", Problem(what, "", "Voyez /api/v1/templates."))
    return library.load(slug)
