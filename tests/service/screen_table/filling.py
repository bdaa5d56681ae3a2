"""Walls of the screens of `docgen.backoffice.web.filling`."""

from tests.service.screen_table.rows import OF_SCHOOL, Row

VALUES = {
    "etape": "telecharger",
    "champ-school_name": "Lycée d’Essai",
    "champ-family_name": "ESSAI",
    "variante": "majeur",
    "mise-en-page": "entier",
}
ROWS: dict[str, Row] = {
    "GET forms": Row(OF_SCHOOL),
    "GET form": Row(OF_SCHOOL, query="?personne={person}"),
    "POST form": Row(OF_SCHOOL, body=VALUES),
    "GET form-example": Row(OF_SCHOOL),
    "GET form-blank": Row(OF_SCHOOL),
}
