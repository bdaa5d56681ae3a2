"""Walls of the screens of `docgen.backoffice.web.scans`, `batches`, `missing` and `returns`."""

from tests.service.screen_table.rows import OF_SCHOOL, OFFICE_AND_SCHOOLS, Row

PDF = {"files": "%PDF-1.7"}
# Of a school in no address of theirs: what is another's is not there.
OF_NO_ADDRESS = "= = 404 403 403 403"

ROWS: dict[str, Row] = {
    "GET all-scans": Row(OFFICE_AND_SCHOOLS),
    "POST all-scans": Row("= 403 403 403 403 403", 302, files=PDF),
    "GET scans": Row(OF_SCHOOL),
    "POST scans": Row(OF_SCHOOL, 302, files=PDF),
    "GET scan": Row(OF_NO_ADDRESS),
    "GET scan-sides": Row(OF_NO_ADDRESS),
    "POST scan-retry": Row(OF_NO_ADDRESS, 302),
    "GET missing": Row(OF_SCHOOL),
    "GET missing-csv": Row(OF_SCHOOL),
    "GET returns": Row(OF_SCHOOL),
    "GET return": Row(OF_SCHOOL),
}
