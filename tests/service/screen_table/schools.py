"""Walls of the screens of `docgen.backoffice.web.schools`."""

from typing import Any

from tests.service.screen_table.rows import OF_SCHOOL, OFFICE, Row

FACTS: dict[str, Any] = {
    "name": "Lycée d’Essai",
    "address": "12 avenue des Exemples",
    "postal_code": "13001",
    "city": "Marseille",
    "head_civility": "Mme",
    "head_name": "Essai",
    "head_title": "Proviseure",
}
ROWS: dict[str, Row] = {
    "GET schools": Row(OFFICE),
    "GET school-add": Row(OFFICE),
    "POST school-add": Row(OFFICE, 302, body={"uai": "0130010R", **FACTS}),
    "GET school-record": Row(OF_SCHOOL),
    "POST school-record": Row(OF_SCHOOL, 302, body=FACTS),
}
