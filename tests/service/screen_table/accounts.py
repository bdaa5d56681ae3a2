"""Walls of the screens of `docgen.backoffice.web.accounts` and of `programs`."""

from tests.service.screen_table.rows import OFFICE, Row

YES = {"confirmed": "yes"}
PROGRAM = {"name": "Outil", "role": "region", "scopes": ["read:schools"], "days": "30"}
ROWS: dict[str, Row] = {
    "GET accounts": Row(OFFICE),
    "GET account-add": Row(OFFICE),
    "POST account-add": Row(OFFICE, body={"login": "secretariat", "role": "region"}),
    "GET account-of": Row(OFFICE),
    "POST account-invite": Row(OFFICE),
    "GET account-close": Row(OFFICE),
    "POST account-close": Row(OFFICE, 302, body=YES),
    "POST account-reopen": Row(OFFICE, 302),
    "GET shops": Row(OFFICE),
    "POST shops": Row(OFFICE, 302, body={"name": "Imprimerie d’essai"}),
    "GET programs": Row(OFFICE),
    "GET program-add": Row(OFFICE),
    "POST program-add": Row(OFFICE, body=PROGRAM),
    "GET program-revoke": Row(OFFICE),
    "POST program-revoke": Row(OFFICE, 302, body=YES),
}
