"""Walls of the screens of `docgen.backoffice.web.imports`."""

from tests.service.screen_table.rows import Row

ROWS: dict[str, Row] = {}
