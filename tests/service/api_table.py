"""Who may do what on each route of the API: the table that the tests hold routes to.

A new route is a new line here; without one, `test_api_walls` fails. The columns are the callers of
`CALLERS`, in that order. `=` stands for the route's own good answer; an empty list is a good answer
to who sees nothing.
"""

from dataclasses import dataclass, field
from typing import Any

# Asked about the school of Arles and its job, which is with the shop of Arles.
CALLERS = ("office", "arles", "berre", "region", "shop_arles", "shop_berre")
TOKEN_REFUSALS = {"anonymous": 401, "expired": 401, "revoked": 401, "bare": 403}

OPEN = "= = = = = ="  # a list that everybody may ask for: each sees its own
READ_SCHOOL = "= = 404 = 404 404"
WRITE_SCHOOL = "= = 404 403 403 403"
READ_JOB = "= = 404 = = 404"
RELEASE = "= 403 403 403 403 403"
RECEIVE = "= 403 403 = 403 403"
COUNT = "= 403 403 403 = 404"
# A hook is its program's own, and the back office's to look after; a person has none.
HOOK = "= = 404 404 404 404"
HOOK_BY_A_PERSON = "= 404 404 404 404 404"


@dataclass(frozen=True, slots=True)
class Row:
    """A route: who may, the good answer, and what to send. `{…}` are names of the world."""

    columns: str
    good: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    is_public: bool = False
    by_session: str = ""
    query: str = ""

    def expected(self, caller: str, way: str = "token") -> int:
        """Give the status that a caller gets, by its token or in a session."""
        columns = self.by_session if way == "session" and self.by_session else self.columns
        told = dict(zip(CALLERS, columns.split(), strict=True))[caller]
        return self.good if told == "=" else int(told)


SCHOOL = {
    "name": "Lycée",
    "address": ["1 rue"],
    "postal_code": "13200",
    "city": "Arles",
    "head": {"name": "Essai", "title": "Proviseur"},
}
PRINTED = {"template": "petite-charte", "layout": "entier"}
LOAN = {
    "person": "{person}",
    "serial": "HA200003",
    "start_date": "2026-09-14",
    "end_date": "2027-06-30",
}
PEOPLE = "Identifiant;Nom;Prénom;Date de naissance;Classe\nE1;GEAI;Ana;01/03/2010;2DE 1\n"
SCAN = "%PDF-1.7 as far as can be seen from its first bytes"

ROWS: dict[str, Row] = {
    "GET /schools": Row(OPEN),
    "GET /schools/{uai}": Row(READ_SCHOOL),
    "PUT /schools/{uai}": Row(WRITE_SCHOOL, body=SCHOOL),
    "POST /schools/{uai}/rosters": Row(
        WRITE_SCHOOL, body={"audience": "pupil"}, files={"files": PEOPLE}
    ),
    "GET /schools/{uai}/people": Row(READ_SCHOOL),
    "GET /schools/{uai}/people/{person}": Row(READ_SCHOOL),
    "GET /schools/{uai}/devices": Row(READ_SCHOOL),
    "GET /schools/{uai}/cessions": Row(READ_SCHOOL),
    "POST /schools/{uai}/cessions": Row(
        WRITE_SCHOOL, 201, {"person": "{second}", "serial": "HA200003"}
    ),
    "POST /schools/{uai}/cessions/{cession}/cancel": Row(WRITE_SCHOOL),
    "GET /schools/{uai}/loans": Row(READ_SCHOOL),
    "POST /schools/{uai}/loans": Row(WRITE_SCHOOL, 201, {**LOAN, "person": "{second}"}),
    "POST /schools/{uai}/loans/{loan}/return": Row(WRITE_SCHOOL, body={}),
    "GET /templates": Row(OPEN),
    "GET /templates/{slug}": Row(OPEN),
    "GET /templates/{slug}/schema": Row(OPEN),
    "GET /print-jobs": Row(OPEN),
    "POST /print-jobs": Row(WRITE_SCHOOL, 201, {**PRINTED, "school": "{uai}"}),
    "POST /schools/{uai}/people/{person}/documents": Row(WRITE_SCHOOL, 201, PRINTED),
    "GET /print-jobs/{job}": Row(READ_JOB),
    "GET /print-jobs/{job}/documents": Row("= = 404 = = 404"),
    "GET /print-jobs/{job}/events": Row(READ_JOB),
    "GET /print-jobs/{job}/volumes/{number}": Row(READ_JOB),
    "GET /print-jobs/{job}/manifest.csv": Row(READ_JOB),
    "GET /print-jobs/{job}/ticket.pdf": Row(READ_JOB),
    "GET /print-jobs/{job}/job.json": Row(READ_JOB),
    "GET /print-jobs/{job}/lot.zip": Row(READ_JOB),
    # What is with a shop cannot be cancelled, nor what went well tried again: 422 tells who may.
    "POST /print-jobs/{job}/cancel": Row(WRITE_SCHOOL, 422),
    "POST /print-jobs/{job}/retry": Row(WRITE_SCHOOL, 422),
    "POST /print-jobs/{job}/reprint": Row(WRITE_SCHOOL, 201, {}),
    "GET /print-shops": Row(OPEN),
    "POST /print-shops": Row(RELEASE, 201, {"name": "Imprimerie neuve"}),
    "POST /print-jobs/{job}/release": Row(RELEASE, 409, {"shop": "{shop}"}),
    "POST /print-jobs/{job}/withdraw": Row(RELEASE),
    "POST /print-jobs/{job}/links": Row(RELEASE, 201, {}),
    "POST /print-jobs/{job}/volumes/{number}/count": Row(COUNT, 200, {"sheets": 1}),
    "GET /links/{token}": Row(OPEN, is_public=True),
    "GET /attestations": Row(OPEN),
    # The period of the world's own attestation: it is not attested twice.
    "POST /attestations": Row(
        WRITE_SCHOOL, 422, {"school": "{uai}", "start": "2026-09-01", "end": "2026-09-30"}
    ),
    "GET /schools/{uai}/attestation-preview": Row(
        READ_SCHOOL, query="?start=2026-09-01&end=2026-09-30"
    ),
    "GET /attestations/{attestation}": Row(READ_SCHOOL),
    "GET /attestations/{attestation}/{paper}.pdf": Row(READ_SCHOOL),
    "POST /attestations/{attestation}/retry": Row(WRITE_SCHOOL, 422),
    "GET /conventions": Row(OPEN),
    "POST /conventions": Row(
        WRITE_SCHOOL, 201, {"school": "{uai}", "template": "{template}", "loans": ["{loan}"]}
    ),
    "GET /conventions/{convention}": Row(READ_SCHOOL),
    "GET /conventions/{convention}/files/{file}": Row(READ_SCHOOL),
    "POST /conventions/{convention}/retry": Row(WRITE_SCHOOL, 422),
    "GET /schools/{uai}/models": Row(READ_SCHOOL),
    "GET /schools/{uai}/models/{template}": Row(READ_SCHOOL),
    "POST /schools/{uai}/models/{template}": Row(WRITE_SCHOOL, 422, files={"model": "x"}),
    "DELETE /schools/{uai}/models/{template}": Row(WRITE_SCHOOL, 204),
    "GET /scans": Row(OPEN),
    "POST /scans": Row(RELEASE, 202, files={"files": SCAN}),
    "POST /schools/{uai}/scans": Row(WRITE_SCHOOL, 202, files={"files": SCAN}),
    "GET /scans/{scan}": Row(READ_SCHOOL),
    "GET /scans/{scan}/pages": Row(READ_SCHOOL),
    "GET /scans/{scan}/report": Row(READ_SCHOOL),
    "GET /scans/{scan}/parts/{first}.pdf": Row(READ_SCHOOL),
    "POST /scans/{scan}/retry": Row(WRITE_SCHOOL, 422),
    "GET /reviews": Row(OPEN),
    "GET /pages/{side}": Row(READ_SCHOOL),
    "GET /pages/{side}/picture.jpg": Row(READ_SCHOOL),
    "GET /pages/{side}/proposals": Row(READ_SCHOOL),
    "POST /pages/{side}/assign": Row(WRITE_SCHOOL, body={"reference": "{reference}", "side": 3}),
    "POST /pages/{side}/turn": Row(WRITE_SCHOOL, body={"degrees": 90}),
    "POST /pages/{side}/discard": Row(WRITE_SCHOOL, body={"note": "page de garde"}),
    # Nothing was decided yet: 409 tells who may.
    "POST /pages/{side}/undo": Row(WRITE_SCHOOL, 409, {}),
    "GET /returns": Row(OPEN),
    "GET /returns/{document}": Row(READ_SCHOOL),
    "GET /returns/{document}/signed.pdf": Row(READ_SCHOOL),
    "GET /deliveries": Row(OPEN),
    "GET /deliveries/{delivery}": Row(READ_SCHOOL),
    "GET /deliveries/{delivery}/messages/{part}.eml": Row(READ_SCHOOL),
    # It was sent: 409 tells who may.
    "POST /deliveries/{delivery}/release": Row(RELEASE, 409, {}),
    "POST /deliveries/{delivery}/retry": Row(RELEASE, 409, {}),
    "POST /deliveries/{delivery}/settle": Row(RELEASE, 409, {"sent": True}),
    "GET /mail-way": Row(RELEASE),
    "POST /mail-way/approve": Row(RELEASE, 409, {"way": "0" * 64}),
    "GET /mails": Row(OPEN),
    "GET /mails/{mail}": Row(READ_SCHOOL),
    "POST /mails/{mail}/take": Row(RELEASE, body={"school": "{uai}"}),
    "POST /mails/{mail}/dismiss": Row(RELEASE, body={}),
    "GET /ledger": Row(OPEN),
    "GET /ledger.csv": Row(OPEN),
    "GET /reminders": Row(OPEN),
    "GET /originals": Row(OPEN),
    # Not before it was issued, and nobody posted or received it: 422 tells who may.
    "POST /originals/{attestation}/post": Row(WRITE_SCHOOL, 422, {"on": "2000-01-01"}),
    "DELETE /originals/{attestation}/post": Row(WRITE_SCHOOL, 422),
    "POST /receptions": Row(RECEIVE, 422, {"code": "AT-0000-0000"}),
    "DELETE /receptions/{attestation}": Row(RECEIVE),
    "GET /hooks": Row(OPEN),
    "POST /hooks": Row(
        "= = = = = =",
        201,
        {"url": "https://hooks.example.org/", "kinds": ["job-ready"]},
        by_session="403 403 403 403 403 403",
    ),
    "GET /hooks/{hook}": Row(HOOK, by_session=HOOK_BY_A_PERSON),
    "DELETE /hooks/{hook}": Row(HOOK, 204, by_session=HOOK_BY_A_PERSON),
    "POST /hooks/{hook}/test": Row(HOOK, 202, by_session=HOOK_BY_A_PERSON),
    "POST /hooks/{hook}/stop": Row(HOOK, by_session=HOOK_BY_A_PERSON),
    "POST /hooks/{hook}/restart": Row(HOOK, body={}, by_session=HOOK_BY_A_PERSON),
    "GET /hooks/{hook}/calls": Row(HOOK, by_session=HOOK_BY_A_PERSON),
}
