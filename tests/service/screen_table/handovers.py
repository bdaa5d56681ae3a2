"""Walls of the screens of `docgen.backoffice.web.handovers`."""

from tests.service.screen_table.rows import OF_SCHOOL, Row

ROWS: dict[str, Row] = {
    "GET handover": Row(OF_SCHOOL, query="?serie=HA200003&q=es"),
    "POST handover": Row(OF_SCHOOL, 302, body={"serie": "HA200003", "personne": "{second}"}),
    "GET cession-cancel": Row(OF_SCHOOL),
    "POST cession-cancel": Row(OF_SCHOOL, 302, body={"confirmed": "yes"}),
    # The cession of the world has its date: that is said on the page of its person.
    "POST cession-date": Row(OF_SCHOOL, 302, body={"date": "2026-09-15"}),
}
