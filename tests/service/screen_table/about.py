"""Walls of the screens of `docgen.backoffice.web.about`."""

from tests.service.screen_table.rows import EVERYBODY, Row

ROWS: dict[str, Row] = {
    "GET accessibility": Row(EVERYBODY, is_public=True),
    "GET help": Row(EVERYBODY, is_public=True),
}
