"""Walls of the screens of `docgen.backoffice.web.history`."""

from tests.service.screen_table.rows import Row

ROWS: dict[str, Row] = {"GET history": Row("= = = = 403 403", query="?sujet={reference}")}
