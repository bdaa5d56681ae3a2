"""Walls of the screens of `docgen.backoffice.web.dashboard`."""

from tests.service.screen_table.rows import Row

ROWS: dict[str, Row] = {}
