"""Walls of the screens of `docgen.backoffice.web.templates` and of `installing`."""

from tests.service.screen_table.rows import OFFICE, Row

NOT_SENT = "404 403 403 403 403 403"
YES = {"confirmed": "yes"}
ROWS: dict[str, Row] = {
    "GET templates": Row(OFFICE),
    "GET template": Row(OFFICE),
    "GET template-picture": Row(OFFICE),
    "POST template-check": Row(OFFICE, 302),
    "GET template-send": Row(OFFICE),
    "POST template-send": Row(OFFICE, 422, files={"file": "no archive"}),
    "GET template-trial": Row(NOT_SENT),
    "GET template-install": Row(NOT_SENT),
    "POST template-install": Row(NOT_SENT, body=YES),
    "POST template-forget": Row(OFFICE, 302),
    "POST template-serve": Row(OFFICE, 302),
}
