"""Walls of the screens of `docgen.backoffice.web.conventions`."""

from tests.service.screen_table.rows import OF_SCHOOL, Row

ORDER = {"modele": "{template}", "prets": "pret:{loan}", "format": "docx", "regroupe": "non"}
ROWS: dict[str, Row] = {
    "GET conventions": Row(OF_SCHOOL),
    "POST conventions": Row(OF_SCHOOL, good=302, body=ORDER),
    "POST convention-retry": Row(OF_SCHOOL, good=302),
    "POST convention-blank": Row(OF_SCHOOL, good=302),
    "GET convention-model": Row(OF_SCHOOL),
    "POST convention-model": Row(OF_SCHOOL, good=422, files={"fichier": "no document"}),
    "GET convention-forget": Row(OF_SCHOOL),
    "POST convention-forget": Row(OF_SCHOOL, good=302, body={"confirmed": "yes"}),
}
