"""Walls of the screens of `docgen.backoffice.web.reviews` and `decisions`."""

from tests.service.screen_table.rows import OFFICE_AND_SCHOOLS, Row

OF_NO_ADDRESS = "= = 404 403 403 403"

ROWS: dict[str, Row] = {
    "GET reviews": Row(OFFICE_AND_SCHOOLS),
    "GET review": Row(OF_NO_ADDRESS),
    "GET side-picture": Row(OF_NO_ADDRESS),
    "POST review-assign": Row(OF_NO_ADDRESS, 302, {"place": "{reference}/2"}),
    "POST review-turn": Row(OF_NO_ADDRESS, 302, {"degrees": "90"}),
    "POST review-discard": Row(OF_NO_ADDRESS, 302, {"note": "Papier sans rapport"}),
    "POST review-undo": Row(OF_NO_ADDRESS, 409),
}
