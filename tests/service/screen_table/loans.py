"""Walls of the screens of `docgen.backoffice.web.loans`."""

from tests.service.screen_table.rows import OF_SCHOOL, Row

LENT = "?serie=HA200003&personne={second}"
DAYS = {"start_date": "2026-10-01", "end_date": "2027-06-30", "state": ""}

ROWS: dict[str, Row] = {
    "GET loans": Row(OF_SCHOOL),
    "GET loan": Row(OF_SCHOOL),
    "GET loan-new": Row(OF_SCHOOL, query="?serie=HA200003"),
    "POST loan-new": Row(OF_SCHOOL, 302, body=DAYS, query=LENT),
    "GET loan-return": Row(OF_SCHOOL),
    "POST loan-return": Row(
        OF_SCHOOL, 302, body={"returned_date": "2026-11-02", "state": "good", "note": ""}
    ),
    "POST loan-not-back": Row(OF_SCHOOL, 302),
    "GET loan-drop": Row(OF_SCHOOL),
    "POST loan-drop": Row(OF_SCHOOL, 302),
    # The tablet of the world is still lent: its receipt leads to the page of its return.
    "GET loan-receipt": Row(OF_SCHOOL, 302),
}
