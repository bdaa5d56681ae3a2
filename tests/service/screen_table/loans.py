"""Walls of the screens of `docgen.backoffice.web.loans`."""

from tests.service.screen_table.rows import Row

ROWS: dict[str, Row] = {}
