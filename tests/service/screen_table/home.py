"""Walls of the screens of `docgen.backoffice.web.home`."""

from tests.service.screen_table.rows import OF_SCHOOL, Row

ROWS: dict[str, Row] = {
    "GET home": Row("= = = = = =", good=302),
    "GET school": Row(OF_SCHOOL),
}
