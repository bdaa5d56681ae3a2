"""Walls of the screens of what the region received: `region`, `received`, `receivedone`."""

from tests.service.screen_table.rows import OF_REGION, Row

ROWS: dict[str, Row] = {
    "GET region": Row(OF_REGION),
    "GET received": Row(OF_REGION),
    "GET received-csv": Row(OF_REGION),
    "GET received-xlsx": Row(OF_REGION),
    "GET received-one": Row(OF_REGION),
    "GET received-picture": Row(OF_REGION),
    "GET received-file": Row(OF_REGION),
    "GET received-version": Row(OF_REGION),
    "POST received-original": Row(OF_REGION, 302),
    "POST received-undo": Row(OF_REGION, 302),
}
