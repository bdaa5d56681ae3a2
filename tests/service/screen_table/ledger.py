"""Walls of the screens of `docgen.backoffice.web.ledger`, and of `gap`."""

from tests.service.screen_table.rows import OF_REGION, OF_SCHOOL, Row

ROWS: dict[str, Row] = {
    "GET school-ledger": Row(OF_SCHOOL),
    "GET school-ledger-csv": Row(OF_SCHOOL),
    "GET school-ledger-xlsx": Row(OF_SCHOOL),
    "GET gap": Row(OF_REGION),
    "GET gap-csv": Row(OF_REGION),
    "GET gap-xlsx": Row(OF_REGION),
}
