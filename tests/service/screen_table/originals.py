"""Walls of the desk where paper originals are received."""

from tests.service.screen_table.rows import OF_REGION, Row

ROWS: dict[str, Row] = {
    "GET originals": Row(OF_REGION),
    "POST originals": Row(OF_REGION, 302, {"code": "{original}"}),
    "POST originals-undo": Row(OF_REGION, 302),
}
