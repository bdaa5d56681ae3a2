"""Walls of the screens of `docgen.backoffice.web.attestations`."""

from tests.service.screen_table.rows import OF_SCHOOL, Row

# All that the school ceded is attested: there is nothing to issue, and the page of dates says so.
PERIOD = "?debut=2026-10-01&fin=2026-10-31"
ROWS: dict[str, Row] = {
    "GET attestations": Row(OF_SCHOOL),
    "GET attestation": Row(OF_SCHOOL),
    "GET attestation-side": Row(OF_SCHOOL),
    "GET attestation-new": Row(OF_SCHOOL, query=PERIOD),
    "GET attestation-issue": Row(OF_SCHOOL, good=302, query=PERIOD),
    "POST attestation-issue": Row(OF_SCHOOL, good=302, query=PERIOD, body={"confirmed": "yes"}),
    "POST attestation-retry": Row(OF_SCHOOL, good=302),
    "POST attestation-post": Row(OF_SCHOOL, good=302, body={"on": "2026-10-05"}),
    "POST attestation-unpost": Row(OF_SCHOOL, good=302),
}
