"""Walls of the screens of `docgen.backoffice.web.deliveries`."""

from tests.service.screen_table.rows import Row

ROWS: dict[str, Row] = {}
