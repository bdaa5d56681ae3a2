"""Walls of the screens of `docgen.backoffice.web.jobs`."""

from tests.service.screen_table.rows import OF_SCHOOL, OFFICE, OFFICE_AND_SCHOOLS, Row

ROWS: dict[str, Row] = {
    "GET jobs": Row(OFFICE_AND_SCHOOLS),
    "GET school-jobs": Row(OF_SCHOOL),
    "GET job": Row(OF_SCHOOL),
    "GET job-cancel": Row(OF_SCHOOL),
    "POST job-cancel": Row(OF_SCHOOL, 302, {"confirmed": "yes"}),
    "POST job-retry": Row(OF_SCHOOL, 302),
    "POST job-reprint": Row(OF_SCHOOL, 302, {"quoi": "tout", "jeton": "x"}),
    "POST job-release": Row(OFFICE, 302, {"imprimeur": "{shop}"}),
    "POST job-withdraw": Row(OFFICE, 302),
}
