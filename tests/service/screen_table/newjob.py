"""Walls of the screens of `docgen.backoffice.web.newjob`."""

from tests.service.screen_table.rows import OF_SCHOOL, OFFICE, Row

PICTURE = "?modele=petite-charte&mise=entier&jour=2026-09-14&face=1&personne={person}"
ROWS: dict[str, Row] = {
    "GET new-job": Row(OF_SCHOOL),
    "POST new-job": Row(OF_SCHOOL, 302, {"choix": "petite-charte/entier"}),
    "GET new-job-school": Row(OFFICE),
    "GET layout-picture": Row("= = = 403 403 403", query="?mise=entier"),
    "GET document-picture": Row(OF_SCHOOL, query=PICTURE),
}
