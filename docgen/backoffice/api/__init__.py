"""The API, /api/v1: what other programs ask of the service.

Each module adds the routes of one family. Routes parse, ask a service, and give its answer: rows
come through `access.seen`, refusals go through `problems`.
"""

from django.conf import settings
from ninja import Router
from ninja.parser import Parser

from docgen.backoffice.api import (
    attestations,
    cessions,
    conventions,
    deliveries,
    hooks,
    ledger,
    mails,
    originals,
    people,
    print_jobs,
    printed,
    problems,
    releases,
    returns,
    reviews,
    rosters,
    scans,
    schools,
    templates,
    watching,
)
from docgen.backoffice.api.access import Pace
from docgen.backoffice.api.document import Api
from docgen.backoffice.api.reading import StrictParser
from docgen.backoffice.api.repeating import repeatable

ROUTERS: tuple[Router, ...] = (
    *(schools.router, rosters.router, people.router, cessions.router, templates.router),
    *(print_jobs.router, printed.router, watching.router, releases.router),
    *(attestations.router, conventions.router, hooks.router),
    *(scans.router, returns.router, reviews.router),
    *(ledger.router, originals.router, deliveries.router, mails.router),
)
DESCRIPTION = """Imprimer, attester et suivre les documents de remise des tablettes.

Identifiez-vous par un jeton (`Authorization: Bearer …`). Tout refus suit la RFC 9457. Le guide est
dans docs/guide/api.md."""


def build() -> Api:
    """Put the API together."""
    parser: Parser = StrictParser()
    made = Api(
        title="docgen",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        urls_namespace="api",
        throttle=Pace(settings.API_PACE),
        parser=parser,
    )
    made.add_decorator(repeatable, mode="operation")
    made.add_exception_handler(Exception, problems.of_exception)
    for kind in list(made._exception_handlers):
        made.add_exception_handler(kind, problems.of_exception)
    for router in ROUTERS:
        made.add_router("", router)
    return made


api = build()
