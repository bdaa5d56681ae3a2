"""Walls of the screens of `docgen.backoffice.web.shop`."""

from tests.service.screen_table.rows import OF_SHOP, SHOPS, Row

ROWS: dict[str, Row] = {
    "GET shop": Row(SHOPS),
    "GET shop-job": Row(OF_SHOP),
    "GET shop-count": Row(OF_SHOP, 302),
    "POST shop-count": Row(OF_SHOP, 302, {"sheets": "2"}),
}
