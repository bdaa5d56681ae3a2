"""Walls of the screens of `docgen.backoffice.web.dashboard`."""

from tests.service.screen_table.rows import OFFICE, Row

ROWS: dict[str, Row] = {"GET dashboard": Row(OFFICE)}
