"""Walls of the post: `deliveries`, `delivery`, `mails`, `reminders`."""

from tests.service.screen_table.rows import OF_REGION, OFFICE, Row

SURE = {"confirmed": "yes"}
ROWS: dict[str, Row] = {
    "GET deliveries": Row(OFFICE),
    "GET post-approval": Row(OFFICE),
    "POST post-approval": Row(OFFICE, 302),
    "GET delivery": Row(OFFICE),
    "GET delivery-mail": Row(OFFICE),
    "POST delivery-retry": Row(OFFICE, 302),
    "GET delivery-release": Row(OFFICE),
    "POST delivery-release": Row(OFFICE, 302, SURE),
    "GET delivery-arrived": Row(OFFICE),
    "POST delivery-arrived": Row(OFFICE, 302, SURE),
    "GET delivery-not-arrived": Row(OFFICE),
    "POST delivery-not-arrived": Row(OFFICE, 302, SURE),
    "GET mails": Row(OFFICE),
    "GET mail-take": Row(OFFICE),
    "POST mail-take": Row(OFFICE, 302),
    "POST mail-dismiss": Row(OFFICE, 302),
    "GET reminders": Row(OF_REGION),
}
