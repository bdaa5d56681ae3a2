"""Walls of the screens of `docgen.backoffice.web.accounts`."""

from tests.service.screen_table.rows import Row

ROWS: dict[str, Row] = {}
